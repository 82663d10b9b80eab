"""Columns: inferred for the file, and converted to the table's types or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bootstrap.files.columns import fitted, iceberg_type, schema_of, section
from bootstrap.files.items import Item
from bootstrap.files.places import LocalPlace
from lakehouse.errors import UsageError
from lakehouse.iceberg import types

UTC = pa.timestamp("us", "UTC")


@pytest.mark.parametrize(
    ("type", "iceberg"),
    [
        (pa.int16(), "int"), (pa.uint32(), "long"), (pa.float32(), "float"), (pa.large_string(), "string"),
        (pa.timestamp("ns"), "timestamp"), (UTC, "timestamptz"), (pa.time32("s"), "time"), (pa.date32(), "date"),
        (pa.decimal128(10, 2), "decimal(10, 2)"), (pa.binary(4), "fixed[4]"), (pa.binary(), "binary"),
        (pa.dictionary(pa.int8(), pa.string()), "string"), (pa.list_(pa.int64()), "list<long>"),
        (pa.map_(pa.string(), pa.int32()), "map<string, int>"),
        (pa.struct([("a", pa.int64()), ("b", pa.list_(pa.bool_()))]), "struct<a: long, b: list<boolean>>"),
    ],
)  # fmt: skip
def test_types(type: pa.DataType, iceberg: str) -> None:
    assert iceberg_type(type) == iceberg == str(types.parse(iceberg))


def test_a_type_that_iceberg_has_not() -> None:
    with pytest.raises(UsageError, match="uint64"):
        iceberg_type(pa.uint64())


def parquet(path: Path, table: pa.Table, **more: Any) -> Item:
    pq.write_table(table, path)
    return Item(LocalPlace(str(path)), path.name, "parquet", **more)


def csv(path: Path, text: str) -> Item:
    path.write_text(text)
    return Item(LocalPlace(str(path)), path.name, "csv")


def test_a_section_takes_all_files(tmp_path: Path) -> None:
    strict = pa.schema([pa.field("id", pa.int32(), nullable=False)])
    first = parquet(tmp_path / "a.parquet", pa.table({"id": [1]}, strict), columns={"day": "1"}, types={"day": "date"})
    second = csv(tmp_path / "b.csv", "id,name\n5000000000,x\n")
    schemas = [schema_of(first, tmp_path / "a.parquet"), schema_of(second, tmp_path / "b.csv")]
    tables = section("lake", "a.b", "t", schemas)["catalogs"]["lake"]["namespaces"]["a.b"]["tables"]
    assert tables == {"t": {"columns": {"id": "long", "day": "date", "name": "string"}}}
    alone = section("lake", "a", "t", schemas[:1])["catalogs"]["lake"]["namespaces"]["a"]["tables"]["t"]
    assert alone["columns"]["id"] == {"type": "int", "required": True}


def rows(item: Item, path: Path, wanted: pa.Schema) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.concat_tables(fitted(item, path, wanted)).to_pylist()
    return found


def test_rows_are_brought_to_the_tables_types(tmp_path: Path) -> None:
    wanted = pa.schema([("day", pa.date32()), ("id", pa.int64()), ("at", UTC), ("more", pa.string())])
    table = pa.table({"id": pa.array([1], pa.int32()), "at": pa.array([1_000], pa.timestamp("ms"))})
    item = parquet(tmp_path / "a.parquet", table, columns={"day": "2026-01-14"})
    (row,) = rows(item, tmp_path / "a.parquet", wanted)
    assert (str(row["day"]), row["id"], row["at"].isoformat(), row["more"]) == (
        "2026-01-14", 1, "1970-01-01T00:00:01+00:00", None,
    )  # fmt: skip


def test_csv_is_read_as_the_table_says(tmp_path: Path) -> None:
    wanted = pa.schema([("code", pa.string()), ("price", pa.decimal128(6, 2)), ("note", pa.string())])
    item = csv(tmp_path / "a.csv", 'code,price,note\n007,1.50,""\n010,,\n')
    first, second = rows(item, tmp_path / "a.csv", wanted)
    assert (first["code"], str(first["price"]), first["note"]) == ("007", "1.50", "")
    assert second == {"code": "010", "price": None, "note": None}


@pytest.mark.parametrize(
    ("columns", "wanted", "said"),
    [
        ({"id": [1], "x": [1], "y": [1]}, [("id", pa.int64())], "columns that the table does not have: x, y"),
        ({"id": [3_000_000_000]}, [("id", pa.int32())], "column id does not fit int32"),
        ({"id": ["x"]}, [("id", pa.int64())], "column id does not fit int64"),
        ({"id": [1, None]}, [pa.field("id", pa.int64(), nullable=False)], "column id is required"),
        ({}, [pa.field("id", pa.int64(), nullable=False)], "column id is required"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, columns: Any, wanted: Any, said: str) -> None:
    item = parquet(tmp_path / "a.parquet", pa.table({**columns, **({} if columns else {"other": [1]})}))
    schema = pa.schema([*wanted, *([] if columns else [("other", pa.int64())])])
    with pytest.raises(UsageError, match=said):
        rows(item, tmp_path / "a.parquet", schema)


def test_a_file_of_another_format_is_named(tmp_path: Path) -> None:
    item = Item(LocalPlace("x"), "a.parquet", "parquet")
    (tmp_path / "a.parquet").write_text("id\n1\n")
    with pytest.raises(UsageError, match=r"x: a.parquet"):
        schema_of(item, tmp_path / "a.parquet")
    with pytest.raises(UsageError, match=r"x: a.parquet"):
        rows(item, tmp_path / "a.parquet", pa.schema([("id", pa.int64())]))
