"""Iceberg's table properties: which values Iceberg's Java library accepts for each that it knows.

org.apache.iceberg.TableProperties and SparkTableProperties of Iceberg 1.12. Iceberg parses a value only when it needs
it, so a wrong value fails at the first write, or at the first read, of an engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lakehouse.text.words import listed, suggest

_INT, _LONG = 2**31 - 1, 2**63 - 1


@dataclass(frozen=True)
class ValueKind:
    """The kind of a value: ``rule`` as text, ``fits`` for text that Java accepts."""

    rule: str
    fits: Callable[[str], bool]


def _whole(least: int, most: int) -> ValueKind:
    def fits(value: str) -> bool:
        return bool(re.fullmatch(r"[+-]?[0-9]{1,19}", value)) and least <= int(value) <= most

    return ValueKind(f"a whole number from {least} to {most}, in digits", fits)


def _one_of(*words: str) -> ValueKind:
    return ValueKind(f"one of {listed(words)}", lambda value: value.lower() in words)


def _share(value: str) -> bool:
    return bool(re.fullmatch(r"0?\.[0-9]{1,18}|[0-9]{1,3}e-[0-9]{1,2}", value, re.IGNORECASE)) and 0 < float(value) < 1


def _metrics(value: str) -> bool:
    match = re.fullmatch(r"truncate\(([0-9]{1,10})\)", value.lower())
    return value.lower() in ("none", "counts", "full") or bool(match and 0 < int(match[1]) <= _INT)


_BOOLEAN = _one_of("true", "false")
_SHARE = ValueKind("a share between 0 and 1, as in 0.01", _share)
_METRICS = ValueKind("none, counts, full or truncate(N), as in truncate(16)", _metrics)
_COUNT, _SIZE, _TIME = _whole(1, _INT), _whole(1, _LONG), _whole(0, _INT)
_ANY_COUNT, _LONG_TIME = _whole(0, _INT), _whole(0, _LONG)
_DISTRIBUTION = _one_of("none", "hash", "range")
_ISOLATION = _one_of("serializable", "snapshot")
_MODE = _one_of("copy-on-write", "merge-on-read")
_FORMAT = _one_of("parquet", "avro", "orc")
_PLANNING = _one_of("auto", "local", "distributed")
_TEXT = ValueKind("text", bool)
_PARQUET = _one_of("zstd", "brotli", "lz4", "gzip", "snappy", "uncompressed")
_AVRO = _one_of("gzip", "zstd", "snappy", "uncompressed")
_ORC = _one_of("zstd", "lz4", "lzo", "zlib", "snappy", "none")

_FILES = {  # properties of data files, and with `write.delete.` also of delete files
    "format.default": _FORMAT,
    "target-file-size-bytes": _SIZE,
    "parquet.row-group-size-bytes": _COUNT,
    "parquet.page-size-bytes": _COUNT,
    "parquet.page-version": _one_of("v1", "v2"),
    "parquet.page-row-limit": _COUNT,
    "parquet.dict-size-bytes": _COUNT,
    "parquet.compression-codec": _PARQUET,
    "parquet.compression-level": _whole(-131072, 22),
    "parquet.row-group-check-min-record-count": _COUNT,
    "parquet.row-group-check-max-record-count": _COUNT,
    "avro.compression-codec": _AVRO,
    "avro.compression-level": _whole(-131072, 22),
    "orc.stripe-size-bytes": _SIZE,
    "orc.block-size-bytes": _SIZE,
    "orc.vectorized.batch-size": _COUNT,
    "orc.compression-codec": _ORC,
    "orc.compression-strategy": _one_of("speed", "compression"),
}
KNOWN: dict[str, ValueKind] = {
    **{f"write.{key}": kind for key, kind in _FILES.items()},
    **{f"write.delete.{key}": kind for key, kind in _FILES.items()},
    "write.parquet.shred-variants": _BOOLEAN,
    "write.parquet.variant-inference-buffer-size": _COUNT,
    "write.parquet.row-group-size-track-uncompressed": _BOOLEAN,
    "write.parquet.bloom-filter-max-bytes": _COUNT,
    "write.parquet.bloom-filter-adaptive-enabled": _BOOLEAN,
    "write.manifest.compression-codec": _AVRO,
    "write.manifest.compression-level": _whole(-131072, 22),
    "write.orc.bloom.filter.columns": _TEXT,
    "write.orc.bloom.filter.fpp": _SHARE,
    "write.distribution-mode": _DISTRIBUTION,
    "write.wap.enabled": _BOOLEAN,
    "write.upsert.enabled": _BOOLEAN,
    "write.object-storage.enabled": _BOOLEAN,
    "write.object-storage.partitioned-paths": _BOOLEAN,
    "write.object-storage.path": _TEXT,
    "write.location-provider.impl": _TEXT,
    "write.folder-storage.path": _TEXT,
    "write.data.path": _TEXT,
    "write.metadata.path": _TEXT,
    "write.summary.partition-limit": _ANY_COUNT,
    "write.metadata.compression-codec": _one_of("none", "gzip"),
    "write.metadata.previous-versions-max": _COUNT,
    "write.metadata.delete-after-commit.enabled": _BOOLEAN,
    "write.metadata.metrics.max-inferred-column-defaults": _ANY_COUNT,
    "write.metadata.metrics.default": _METRICS,
    "write.spark.fanout.enabled": _BOOLEAN,
    "write.spark.accept-any-schema": _BOOLEAN,
    "write.spark.auto-schema-evolution.enabled": _BOOLEAN,
    "write.spark.advisory-partition-size-bytes": _SIZE,
    "write.delete.granularity": _one_of("file", "partition"),
    **{f"write.{verb}.isolation-level": _ISOLATION for verb in ("delete", "update", "merge")},
    **{f"write.{verb}.mode": _MODE for verb in ("delete", "update", "merge")},
    **{f"write.{verb}.distribution-mode": _DISTRIBUTION for verb in ("delete", "update", "merge")},
    "read.split.target-size": _SIZE,
    "read.split.metadata-target-size": _SIZE,
    "read.split.planning-lookback": _COUNT,
    "read.split.open-file-cost": _LONG_TIME,
    "read.split.adaptive-size.enabled": _BOOLEAN,
    "read.parquet.vectorization.enabled": _BOOLEAN,
    "read.parquet.vectorization.batch-size": _COUNT,
    "read.orc.vectorization.enabled": _BOOLEAN,
    "read.orc.vectorization.batch-size": _COUNT,
    "read.data-planning-mode": _PLANNING,
    "read.delete-planning-mode": _PLANNING,
    "commit.retry.num-retries": _ANY_COUNT,
    "commit.retry.min-wait-ms": _TIME,
    "commit.retry.max-wait-ms": _TIME,
    "commit.retry.total-timeout-ms": _TIME,
    "commit.status-check.num-retries": _ANY_COUNT,
    "commit.status-check.min-wait-ms": _LONG_TIME,
    "commit.status-check.max-wait-ms": _LONG_TIME,
    "commit.status-check.total-timeout-ms": _LONG_TIME,
    "commit.manifest.target-size-bytes": _SIZE,
    "commit.manifest.min-count-to-merge": _COUNT,
    "commit.manifest-merge.enabled": _BOOLEAN,
    "history.expire.max-snapshot-age-ms": _SIZE,
    "history.expire.min-snapshots-to-keep": _COUNT,
    "history.expire.max-ref-age-ms": _SIZE,
    "gc.enabled": _BOOLEAN,
    "compatibility.snapshot-id-inheritance.enabled": _BOOLEAN,
    "engine.hive.enabled": _BOOLEAN,
    "engine.hive.lock-enabled": _BOOLEAN,
    "identifier-fields.rely": _BOOLEAN,
    "encryption.data-key-length": _one_of("16", "24", "32"),
}
#: Properties of one column: the prefix before its name.
OF_A_COLUMN: dict[str, ValueKind] = {
    "write.metadata.metrics.column.": _METRICS,
    "write.parquet.bloom-filter-enabled.column.": _BOOLEAN,
    "write.parquet.bloom-filter-fpp.column.": _SHARE,
    "write.parquet.bloom-filter-ndv.column.": _SIZE,
    "write.parquet.stats-enabled.column.": _BOOLEAN,
    "write.parquet.dict-encoding-enabled.column.": _BOOLEAN,
}
#: Never stored as properties: TableProperties.RESERVED_PROPERTIES, and the key of the file that sets each.
RESERVED = {
    "uuid": "the catalog, once for all",
    "snapshot-count": "the writes to the table",
    "current-snapshot-id": "the writes to the table",
    "current-snapshot-summary": "the writes to the table",
    "current-snapshot-timestamp-ms": "the writes to the table",
    "current-schema": "columns",
    "default-partition-spec": "partition_by",
    "default-sort-order": "sort_by",
}
_FAMILIES = ("write.", "read.", "commit.", "history.", "gc.")


def refusal(key: str, value: str) -> str | None:
    """Why Iceberg's Java library would refuse the value; None if it does not, or does not know the property."""
    kind = KNOWN.get(key) or next((kind for prefix, kind in OF_A_COLUMN.items() if key.startswith(prefix)), None)
    if kind is None or kind.fits(value):
        return None
    better = next((text for text in _better(value) if kind.fits(text)), None)
    fix = f' Did you mean "{better}"?' if better is not None else ""
    return f'"{value}" is not a value of {key}: {kind.rule}.{fix}'


def _better(value: str) -> list[str]:
    """Spellings that Java would accept for a number or boolean that is written in another way."""
    words = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
    found = [value.strip(), words.get(value.lower(), "")]
    if len(value) < 30:
        with suppress(ValueError):
            found.append(str(int(value.replace(",", "_"), 0)))
        with suppress(ValueError, OverflowError):
            number = float(value)
            found += [str(int(number))] if number == int(number) and abs(number) < _LONG else []
    return found


def column(key: str) -> str | None:
    """The column to which a property applies, or None if it applies to no single column."""
    return next((key.removeprefix(prefix) for prefix in OF_A_COLUMN if key.startswith(prefix)), None)


def misspelt(key: str) -> str | None:
    """A warning for a key in one of Iceberg's families that Iceberg does not know, with the nearest known key."""
    if not key.startswith(_FAMILIES) or key in KNOWN or any(key.startswith(prefix) for prefix in OF_A_COLUMN):
        return None
    nearest = suggest(key, [*KNOWN, *OF_A_COLUMN])
    return f'"{key}" is not a table property that Iceberg knows, and nothing will read it.{nearest}'
