"""The health of a table, from 0 to 100: how much maintenance it lacks. Pure. docs/maintenance.md has the formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, log10

from bootstrap.catalogs.metrics import TableMetrics

_MIB = 1024 * 1024
_FILE = 128 * _MIB  # the size of a file that is not small
_LITTLE = 10 * _MIB  # what nobody has to clean up


@dataclass(frozen=True)
class Health:
    """``value`` is 0 to 100; ``lost`` has the points that each reason took from 100, without those that took none."""

    value: int
    lost: Mapping[str, float]


def health(metrics: TableMetrics) -> Health:
    """The health of a table with these metrics."""
    taken = {name: most * part(metrics) for name, (most, part) in _PARTS.items()}
    return Health(round(100 - sum(taken.values())), {name: round(of, 1) for name, of in taken.items() if of})


def unused_bytes(metrics: TableMetrics) -> int:
    """The size of stored files that are neither in the current snapshot nor metadata: former snapshots and orphans."""
    return max(0, metrics.stored_bytes - metrics.metadata_bytes - metrics.bytes)


def _small_files(of: TableMetrics) -> float:
    return _times(of.files, max(4, ceil(of.bytes / _FILE)), 100)


def _delete_files(of: TableMetrics) -> float:
    return min(1.0, of.delete_files / max(1, of.files))


def _snapshots(of: TableMetrics) -> float:
    return _times(of.snapshots, 100, 10)


def _metadata(of: TableMetrics) -> float:
    return _times(of.metadata_bytes, max(_LITTLE, of.bytes // 100), 10)


def _unused(of: TableMetrics) -> float:
    return _times(unused_bytes(of), max(_LITTLE, of.bytes), 10)


def _times(value: int, fine: int, worst: int) -> float:
    """0 up to ``fine``, 1 from ``worst`` times as much, and on a logarithmic scale between them."""
    return min(1.0, log10(value / fine) / log10(worst)) if value > fine else 0.0


_PARTS: Mapping[str, tuple[int, Callable[[TableMetrics], float]]] = {
    "small files": (30, _small_files),
    "delete files": (25, _delete_files),
    "snapshots": (15, _snapshots),
    "metadata": (15, _metadata),
    "unused files": (15, _unused),
}
