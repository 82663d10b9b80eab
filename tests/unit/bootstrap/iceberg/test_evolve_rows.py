"""Rows of real files, through random chains of evolution: each is read as the schema of the day shows it, or the change
was refused. pyiceberg writes and reads; the commits are those of the plans."""

from __future__ import annotations

import decimal
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.table import Table
from pyiceberg.table.update import update_table_metadata

from lakehouse.iceberg.types import Field, List, Map, Struct, Type
from tests.unit.bootstrap.iceberg.test_evolve_random import SLOW, tables
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse

NAME = "n.t"
PRIMITIVES: dict[str, Any] = {
    "boolean": True,
    "int": 7,
    "long": 2**40,
    "float": 0.5,
    "double": 0.25,
    "date": date(2026, 1, 14),
    "timestamptz": datetime(2026, 1, 14, 9, 30, tzinfo=UTC),
    "string": "x",
    "binary": b"\x00\xff",
    "decimal(9, 2)": decimal.Decimal("1.50"),
    "decimal(12, 2)": decimal.Decimal("1234567890.25"),
}


class Rows(Simulation):
    """A simulated catalog whose one table has files, in a separate folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def commit(self, name: str, body: Any, *, creates: bool) -> None:
        here = [
            {**update, "location": f"file://{self.folder}"} if update["action"] == "set-location" else update
            for update in body["updates"]
        ]
        super().commit(name, {**body, "updates": here}, creates=creates)

    @property
    def schema(self) -> Struct:
        return self.facts().catalogs["lake"].tables[NAME].schema

    def table(self) -> Table:
        catalog: Any = self
        metadata = self.tables[NAME]
        return Table(("n", "t"), metadata, f"file://{self.folder}/m.json", PyArrowFileIO(), catalog)

    def commit_table(self, table: Table, requirements: Iterable[Any], updates: Iterable[Any]) -> Table:
        """The method that pyiceberg's table calls on its catalog to append rows."""
        for requirement in requirements:
            requirement.validate(self.tables[NAME])
        self.tables[NAME] = update_table_metadata(self.tables[NAME], tuple(updates))
        table.metadata = self.tables[NAME]
        return table

    def _delete_old_metadata(self, *metadata: Any) -> None:
        """There are none."""

    def supports_server_side_planning(self) -> bool:
        return False

    def append(self, row: dict[str, Any]) -> None:
        table = self.table()
        table.append(pa.Table.from_pylist([row], schema=schema_to_pyarrow(table.schema(), include_field_ids=False)))

    def read(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.table().scan().to_arrow().to_pylist()
        return rows


def value(of: Type, empty: bool) -> Any:
    """A value of a type; ``empty``: with nothing in it that may be left out.

    Lists and maps are empty then, not null: of a changed column pyiceberg 0.11 reads null as empty.
    """
    match of:
        case Struct(fields):
            return {
                f.name: None
                if empty and not f.required and not isinstance(f.type, List | Map)
                else value(f.type, empty)
                for f in fields
            }
        case List():
            return [] if empty else [value(of.element, empty)]
        case Map():
            return [] if empty else [(value(of.key, empty), value(of.value, empty))]
    return PRIMITIVES[str(of)]


def shown(given: Any, was: Type, now: Type) -> Any:
    """The value that a schema shows if another one wrote it: columns are the same if their ids are."""
    if given is None:
        return None
    if isinstance(was, Struct) and isinstance(now, Struct):
        old: dict[int, Field] = {field.id: field for field in was.fields}
        return {
            field.name: shown(given[old[field.id].name], old[field.id].type, field.type) if field.id in old else None
            for field in now.fields
        }
    if isinstance(was, List) and isinstance(now, List):
        return [shown(each, was.element, now.element) for each in given]
    if isinstance(was, Map) and isinstance(now, Map):
        return [(shown(key, was.key, now.key), shown(each, was.value, now.value)) for key, each in given]
    return given


def as_text(rows: list[dict[str, Any]]) -> list[str]:
    """Rows in a fixed order; Arrow has its own class for UTC."""
    return sorted(repr(row).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc") for row in rows)


@pytest.mark.timeout(600)
@settings(SLOW, max_examples=8)  # each writes real Parquet files, through every one of pyiceberg's copies
@given(st.lists(tables(), min_size=2, max_size=4), st.sampled_from(["shared", "exclusive"]), st.booleans())
def test_every_row_is_read_after_every_change(chain: list[dict[str, Any]], managed: str, allow_destroy: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        there = Rows(Path(folder))
        written: list[tuple[dict[str, Any], Struct]] = []
        for number, entry in enumerate(chain):
            # pyiceberg cannot write files that are partitioned twice by one column, or by void of a required column.
            parts = [each for each in entry["partition_by"][:1] if not each.startswith("void")]
            table = {**entry, "format_version": 2, "partition_by": parts}
            there.apply(lakehouse({"n": {"tables": {"t": table}}}, managed=managed), allow_destroy=allow_destroy)
            now = there.schema
            row = value(now, empty=bool(number % 2))
            there.append(row)
            written.append((row, now))
            expected = [shown(given, was, now) for given, was in written]
            assert as_text(there.read()) == as_text(expected)
