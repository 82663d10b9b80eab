"""What an engine does not support is refused or a warning, but never blocks reading and destroying."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from lakehouse.spec import Lakehouse, SpecError, cautions, load
from lakehouse.spec.kinds import Feature
from lakehouse.spec.limits import cells, kinds, refusals, table, warnings

ROOT = Path(__file__).parents[4]
EXPIRY: dict[str, Any] = {"maintenance": {"expire_snapshots": {}, "remove_orphans": {}}}
T = {"columns": {"i": "int"}}


def file(
    namespaces: dict[str, Any] | None = None,
    *,
    engines: tuple[str, ...] = ("spark", "trino"),
    catalogs: dict[str, Any] | None = None,
    kind: str = "nessie",
    **catalog: Any,
) -> dict[str, Any]:
    known = catalogs or {"lake": {"location": "s3://warehouse/lake", "namespaces": namespaces or {}, **catalog}}
    return {
        "name": "unit",
        "buckets": {"warehouse": {}},
        "catalogs": known,
        "engines": {name: {} for name in engines},
        "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": dict.fromkeys(known, kind)}},
    }


def one(**table: Any) -> dict[str, Any]:
    return {"n": {"tables": {"t": {**T, **table}}}}


def fixed(term: str) -> dict[str, Any]:
    return one(columns={"f": "fixed[4]", "s": "struct<f: fixed[4]>"}, partition_by=[term])


def clock(*engines: str) -> dict[str, Any]:
    return {"sql": dict.fromkeys(engines, "SELECT a FROM t"), "columns": {"a": "time"}}


REFUSED = [
    (file(one(columns={"a": "time"})), "columns.a.type: Spark cannot load a table that has a column of type time"),
    (file(one(columns={"a": "map<string, struct<b: list<time>>>"})), "Spark cannot load"),
    (
        file(one(columns={"a": "list<timestamp_ns>"}, format_version=3), kind="rest", engines=("spark",)),
        "such a column (timestamp_ns)",
    ),
    (
        file(one(columns={"a": "timestamptz_ns"}, format_version=3), kind="rest", engines=("spark",)),
        "such a column (timestamptz_ns)",
    ),
    (
        file(one(format_version=3), kind="rest"),
        "tables.t.format_version: Trino 476 shows NULL for defaults of Iceberg's format 3, and cannot read its",
    ),
    (file({"n": {"views": {"v": clock("spark")}}}, kind="rest"), "views.v.columns.a.type: Spark cannot load"),
    (file({"information_schema": {}}), 'namespaces.information_schema: Trino shows its own views as "information_sch'),
    (file({"system": {"tables": {"iceberg_tables": T}}}), 'Trino shows its own table as "system.iceberg_tables"'),
    (file(fixed("f")), 'partition_by[0]: Trino cannot read a table that is partitioned by "f", of type fixed'),
    (file(fixed("s.f")), 'partitioned by "s.f"'),
    (
        file(one(columns={"u": "uuid", "a": "int"}, partition_by=["bucket(4, u)"], sort_by=["a"])),
        'partition_by[0]: Spark sorts uuids as text, and so cannot write sorted files into buckets of "u"',
    ),
    (file(one(properties={"write.parquet.compression-codec": "Brotli"})), "Spark cannot write Parquet with Brotli"),
    (file(one(properties={"write.location-provider.impl": "a.B"})), "Trino cannot write a table with the location pro"),
    (file({"n" * 256: {}}), 'is too long: S3Proxy keeps objects as files, and no part of a path has more than 255'),
    (file(one(columns={"c" * 201: "int"}, partition_by=["c" * 201])), "is too long: S3Proxy"),
    (
        file(one(properties={"write.metadata.delete-after-commit.enabled": True}), tags={"q1": {}}),
        "engines would delete metadata files (write.metadata.delete-after-commit.enabled) that the catalog's branches",
    ),
    (file(branches={"a-b": {}, "a_b": {}}), 'Trino shows it as the catalog "lake_a_b", which already exists'),
    (
        file(
            catalogs={
                "a": {"location": "s3://warehouse/a", "branches": {"b/c": {}}},
                "a_b": {"location": "s3://warehouse/b", "branches": {"C": {}}},
            }
        ),
        'catalogs.a_b.branches.C: Trino shows it as the catalog "a_b_c"',
    ),
    (
        file(
            catalogs={
                "a": {"location": "s3://warehouse/a", "branches": {"B": {}}},
                "a_b": {"location": "s3://warehouse/b"},
            }
        ),
        'catalogs.a.branches.B: Trino shows it as the catalog "a_b"',
    ),
]  # fmt: skip
WARNED = [
    (file({"a": {}, "a.b": {"tables": {"t": T}}}), 'Trino does not see the tables of a nested namespace ("a.b")'),
    (file({"system": {}}), '"system" also contains procedures of Trino and Spark'),
    (file(one(properties={"write.metadata.delete-after-commit.enabled": True})), "a branch or tag that is created la"),
]  # fmt: skip


def written(data: dict[str, Any], path: Path) -> Path:
    with path.open("w") as out:
        YAML().dump(data, out)
    return path


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_what_an_engine_cannot_read_or_write_is_refused_and_can_still_be_looked_at(
    data: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = written(data, tmp_path / "lakehouse.yaml")
    with pytest.raises(SpecError) as caught:
        load(path)
    assert len(caught.value.problems) == 1
    assert message in str(caught.value)
    assert f"{path}:" in str(caught.value)
    assert load(path, engines=False).name == "unit"


@pytest.mark.parametrize(("data", "message"), WARNED)
def test_what_an_engine_does_not_show_is_a_warning_of_a_valid_file(
    data: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = written(data, tmp_path / "lakehouse.yaml")
    reported = cautions(path, load(path))
    assert any(message in each for each in reported), reported
    assert all(each.startswith(f"{path}:") for each in reported)


@pytest.mark.parametrize(("data", "message"), [*REFUSED, *WARNED])
def test_an_engine_that_is_not_there_has_no_say(data: dict[str, Any], message: str) -> None:
    alone = Lakehouse.model_validate(data | {"engines": {}})
    assert not [each for each in refusals(alone) if message.partition(": ")[2].startswith(("Spark", "Trino"))]
    assert not [each for each in (*refusals(alone), *warnings(alone)) if each.message.startswith(("Spark", "Trino"))]


def test_what_is_fine_is_neither() -> None:
    spaces = one(columns={"f": "fixed[4]", "u": "uuid", "T": "timestamp"}, partition_by=["bucket(4, f)", "u"])
    data = file(spaces, branches={"etl": {}, "dev": {}}, tags={"q1": {}})
    data["engines"]["trino"] = {"catalogs": {"tpch": {"connector.name": "tpch"}}}
    lakehouse = Lakehouse.model_validate(data)
    assert [*refusals(lakehouse), *warnings(lakehouse)] == []
    lakehouse = Lakehouse.model_validate(file(one(**EXPIRY), branches={"etl": {}}, tags={"q1": {}}))
    assert [*warnings(lakehouse)] == []


def test_the_page_shows_the_matrix() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text()
    assert "\n".join(table()) in page
    assert "\n".join(kinds()) in page
    assert {each.limit.feature for each in cells()} == set(Feature), "each feature is some kind's limit"


def test_a_view_for_trino_only_may_have_what_spark_cannot_show() -> None:
    lakehouse = Lakehouse.model_validate(file({"n": {"views": {"v": clock("trino")}}}, kind="rest"))
    assert [*refusals(lakehouse)] == []
