"""Names and layouts that only Iceberg's Java library forbids are refused before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.iceberg import properties
from lakehouse.iceberg.names import METADATA_COLUMNS, in_files
from lakehouse.spec import Lakehouse, load
from lakehouse.spec.checks import check
from lakehouse.spec.load import cautions


def problems(columns: dict[str, Any], **table: Any) -> list[str]:
    lakehouse = Lakehouse.model_validate(
        {
            "name": "unit",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {"n": {"tables": {"t": {"columns": columns, **table}}}},
                }
            },
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
        }
    )
    return [f"{problem.at[-1]}: {problem.message}" for problem in check(lakehouse)]


@pytest.mark.parametrize("name", [*sorted(METADATA_COLUMNS), "_POS"])
def test_metadata_columns(name: str) -> None:
    [problem] = problems({"a": "int", name: "int"})
    assert problem.startswith(f'{name}: "{name}" is not a name for a column')
    assert "Choose another name" in problem
    assert problems({"a": "int", "s": f"struct<{name}: int>"}) == [], "Iceberg's Java library allows them nested"


@pytest.mark.parametrize(
    ("partition_by", "refused"),
    [(["s.a"], False), (["s.a", "s.b"], True), (["s.a", "bucket(2, s.b)"], False), (["s.a", "s.b", "id"], True)],
)
def test_a_struct_that_orc_files_would_not_hold(partition_by: list[str], refused: bool) -> None:
    columns = {"id": "int", "s": "struct<a: int, b: string>"}
    orc = {"properties": {"write.format.default": "orc"}, "partition_by": partition_by}
    found = problems(columns, **orc)
    assert [problem.startswith('write.format.default: "orc" does not fit') for problem in found] == [True] * refused
    assert problems(columns, partition_by=partition_by) == []


@pytest.mark.parametrize("name", ["file_path", "pos", "row", "_id", "_filename"])
def test_other_names(name: str) -> None:
    assert problems({name: "int"}) == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"partition_by": ["void(a)"]}, "void partitions nothing"),
        ({"partition_by": ["void(a)", "b"]}, ""),
        ({"partition_by": ["void(a)"], "format_version": 1}, ""),
        ({"sort_by": ["b", "void(a)"]}, "sorts by nothing"),
    ],
)
def test_void(table: dict[str, Any], words: str) -> None:
    found = problems({"a": "int", "b": "int"}, **table)
    assert [words in problem for problem in found] == ([True] if words else [])


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain", "plain"),
        ("order-id", "order_x2Did"),
        ("größe", "größe"),
        ("2024_total", "_2024_total"),
        ("with space", "with_x20space"),
        ("-", "_x2D"),
        ("a😀", "a_xD83D_xDE00"),
    ],
)
def test_names_in_files(name: str, written: str) -> None:
    """As org.apache.iceberg.avro.AvroSchemaUtil.makeCompatibleName writes them."""
    assert in_files(name) == written


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("write.target-file-size-bytes", "1_000_000", 'Did you mean "1000000"?'),
        ("write.target-file-size-bytes", "0x10", 'Did you mean "16"?'),
        ("write.target-file-size-bytes", "1e6", 'Did you mean "1000000"?'),
        ("write.target-file-size-bytes", "128m", "a whole number from 1"),
        ("write.target-file-size-bytes", "9223372036854775808", "a whole number from 1"),
        ("write.parquet.row-group-size-bytes", "2147483648", "to 2147483647"),
        ("commit.retry.num-retries", "-1", "a whole number from 0"),
        ("write.object-storage.enabled", "yes", 'Did you mean "true"?'),
        ("gc.enabled", "off", 'Did you mean "false"?'),
        ("write.format.default", "parkett", "one of parquet, avro or orc"),
        ("write.distribution-mode", "hashed", "one of none, hash or range"),
        ("write.delete.mode", "merge", "copy-on-write or merge-on-read"),
        ("write.parquet.compression-codec", "zst", "zstd"),
        ("write.metadata.compression-codec", "zstd", "none or gzip"),
        ("write.metadata.metrics.default", "truncate(x)", "truncate(N)"),
        ("write.metadata.metrics.column.a", "all", "none, counts, full"),
        ("write.metadata.metrics.column.b", "full", '"b" is not a column'),
        ("write.parquet.bloom-filter-enabled.column.s.y", "true", '"s.y" is not a column'),
        ("write.parquet.bloom-filter-fpp.column.a", "2", "between 0 and 1"),
        ("current-schema", "{}", "set by columns"),
        ("uuid", "x", "set by the catalog"),
    ],
)
def test_values_that_java_does_not_take(key: str, value: str, words: str) -> None:
    [problem] = problems({"a": "int", "s": "struct<x: int>"}, properties={key: value})
    assert words in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("write.target-file-size-bytes", 134217728),
        ("write.format.default", "PARQUET"),
        ("write.object-storage.enabled", True),
        ("write.metadata.metrics.default", "Truncate(8)"),
        ("write.metadata.metrics.column.s.x", "none"),
        ("write.parquet.bloom-filter-enabled.column.l.y", "true"),
        ("write.parquet.bloom-filter-fpp.column.a", "0.01"),
        ("write.parquet.compression-level", "3"),
        ("history.expire.max-ref-age-ms", "9223372036854775807"),
        ("owner.team", "anything"),
        ("write.my-engine.option", "1_000"),
    ],
)
def test_values_that_java_takes(key: str, value: Any) -> None:
    assert problems({"a": "int", "s": "struct<x: int>", "l": "list<struct<y: int>>"}, properties={key: value}) == []


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("write.target-file-size-byte", "write.target-file-size-bytes"),
        ("write.parquet.compresion-codec", "write.parquet.compression-codec"),
        ("commit.retry.num-retrys", "commit.retry.num-retries"),
        ("history.expire.min-snapshot-to-keep", "history.expire.min-snapshots-to-keep"),
        ("read.split.targetsize", "read.split.target-size"),
        ("write.metadata.metrics.colum.a", "write.metadata.metrics.column."),
    ],
)
def test_a_misspelt_name_is_warned_about(key: str, nearest: str) -> None:
    reported = properties.misspelt(key)
    assert reported is not None
    assert f'Did you mean "{nearest}"?' in reported
    assert properties.misspelt(nearest) is None


def test_warnings_have_a_line(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        "name: unit\nbuckets: {warehouse: {}}\ncatalogs:\n  lake:\n    location: s3://warehouse/lake\n    namespaces:\n"
        "      n:\n        tables:\n          t:\n            columns: {a: int}\n            properties:\n"
        "              write.formt.default: avro\n"
        "stacks: {local: {runtime: process, store: s3proxy, catalogs: {lake: nessie}}}\n"
    )
    [reported] = cautions(file, load(file))
    assert reported.startswith(f"{file}:12: ")
    assert 'Did you mean "write.format.default"?' in reported


def test_names_that_engines_or_files_take_for_one() -> None:
    assert "are the same name for engines" in problems({"s": "int", "ſ": "int"})[0]  # noqa: RUF001 - it is what is tested
    assert 'are both written into files as "order_x2Did"' in problems({"order-id": "int", "order_x2Did": "int"})[0]
    assert problems({"größe": "int", "grösse": "int"}, partition_by=["bucket(4, größe)"], sort_by=["größe desc"]) == []
    assert problems({"order-id": "int"}, partition_by=["order-id", "truncate(4, order-id)"]) == []
