"""Names and layouts that only Iceberg's Java library forbids are refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.spec import Lakehouse
from lakehouse.spec.checks import check
from lakehouse.spec.names import METADATA_COLUMNS, in_files


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
    assert "Take another name" in problem
    assert problems({"a": "int", "s": f"struct<{name}: int>"}) == [], "Iceberg's Java library allows them nested"


@pytest.mark.parametrize("name", ["file_path", "pos", "row", "_id", "_filename"])
def test_other_names(name: str) -> None:
    assert problems({name: "int"}) == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"partition_by": ["void(a)"]}, "partitions by nothing"),
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
