"""Columns of the file that a table had before, and that somebody dropped or renamed outside the file. Pure.

A table's metadata keeps all of its schemas, so the ids of the fields show what happened to a column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from bootstrap.iceberg.metadata import TableFacts
from bootstrap.iceberg.schema import type_to_json
from bootstrap.reconciler.tables.draft import Json
from bootstrap.reconciler.tables.wanted import WantedTable
from lakehouse.iceberg.types import Field, Struct, fields


def lost(full: str, want: WantedTable, have: TableFacts) -> Iterator[tuple[str, str]]:
    """The path of each column that would come back without its values, with a note on it."""
    there = {path: field.id for path, field in fields(have.schema)}
    paths = {number: path for path, number in there.items()}
    split = [path.split(".") for path in there]
    known = {".".join(parts[:depth]) for parts in split for depth in range(1, len(parts) + 1)}
    found: list[str] = []
    for path, _ in fields(want.schema):
        if _present(path, known, want.renamed_from) or any(path.startswith(f"{each}.") for each in found):
            continue
        former = find(have, path)
        if former is None:
            continue
        found.append(path)
        new = "`apply` adds a new, empty column"
        if (now := paths.get(former.id)) is not None:
            back = f"`renamed_from: {now.rpartition('.')[2]}` brings it back with its values"
            yield path, f"somebody renamed it to {now}. {new}; {back}, or write the new name in the file"
        elif "." in path:
            back = "its values can still be read from an earlier snapshot, by time travel"
            yield path, f"it existed, and somebody dropped it. {new}; {back}"
        else:
            back = f"`lakehouse undrop {full}.{path}` brings it back with its values, which are still in the files"
            yield path, f"it existed, and somebody dropped it. {new}; {back}"


def _present(path: str, known: Collection[str], renamed_from: Mapping[str, str]) -> bool:
    """Whether the table has the column, under its present or its former name or that of a struct that it is in.

    ``known`` are the paths of the table's columns and fields, and of what these are in: ``a.element`` of
    ``a.element.b``.
    """
    parts, found = path.split("."), ""
    for depth, name in enumerate(parts, 1):
        former = renamed_from.get(".".join(parts[:depth]))
        names = [f"{found}.{each}" if found else each for each in (name, former) if each]
        found = next((each for each in names if each in known), "")
        if not found:
            return False
    return True


def find(have: TableFacts, path: str) -> Field | None:
    """The field of this path in the newest schema that has one; None if no schema has."""
    for _, (schema, _) in sorted(have.schemas.items(), reverse=True):
        if (field := dict(fields(schema)).get(path)) is not None:
            return field
    return None


def revival(have: TableFacts, former: Field) -> Json:
    """The commit that restores a dropped column under its old id, by which the data files know its values.

    The column comes back as optional, because rows that were written in the meantime have no value.
    """
    back = former._replace(required=False)
    schema = Struct((*have.schema.fields, back))
    data = {
        "schema-id": max(have.schemas) + 1,
        "identifier-field-ids": sorted(have.identifier),
        **type_to_json(schema),
    }
    return {
        "requirements": [
            {"type": "assert-table-uuid", "uuid": have.uuid},
            {"type": "assert-current-schema-id", "current-schema-id": have.schema_id},
        ],
        "updates": [
            {"action": "add-schema", "schema": data, "last-column-id": have.last_column_id},
            {"action": "set-current-schema", "schema-id": -1},
        ],
    }
