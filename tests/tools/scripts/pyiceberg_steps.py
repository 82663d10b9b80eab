"""PyIceberg: https://py.iceberg.apache.org/api/. Arguments: the catalog, which the environment describes."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType, TimestampType
from steps import step

NAME, MOMENT = "by_pyiceberg.t", datetime(2026, 1, 1)  # noqa: DTZ001 - a timestamp without a zone
ARROW = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string()), ("at", pa.timestamp("us"))])
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "name", StringType()),
    NestedField(3, "at", TimestampType()),
    identifier_field_ids=[1],
)
catalog = load_catalog(sys.argv[1])


def table() -> Any:
    return catalog.load_table(NAME)


def rows(*ids: int) -> pa.Table:
    return pa.Table.from_pylist([{"id": each, "name": f"{each}", "at": MOMENT} for each in ids], schema=ARROW)


def upsert() -> None:
    done = table().upsert(pa.Table.from_pylist([{"id": 2, "name": "b", "at": MOMENT}], schema=ARROW))
    assert done.rows_updated == 1, done


def delete() -> None:
    table().delete("id = 1")
    assert table().scan().to_arrow().num_rows == 1


def schema() -> None:
    with table().update_schema() as update:
        update.add_column("more", StringType())
    assert "more" in table().schema().column_names


def former() -> None:
    first = table().history()[0].snapshot_id
    assert table().scan(snapshot_id=first).to_arrow().num_rows == 2, "the history has only the newest snapshot"


def renames() -> None:
    catalog.rename_table(NAME, f"{NAME}2")
    catalog.rename_table(f"{NAME}2", NAME)


step("namespace", lambda: catalog.create_namespace_if_not_exists("by_pyiceberg"))
step("create", lambda: catalog.create_table(NAME, SCHEMA))
step("append", lambda: table().append(rows(1, 2)))
step("scan", lambda: table().scan(row_filter="id > 1").to_arrow())
step("upsert", upsert)
step("delete", delete)
step("schema change", schema)
step("former snapshots", former)
step("rename", renames)
step("drop", lambda: (catalog.drop_table(NAME), catalog.drop_namespace("by_pyiceberg")))
