"""A table as the file would say it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bootstrap.iceberg.metadata import TableFacts
from bootstrap.iceberg.schema import walk
from bootstrap.reconciler.marks import DELETABLE_COLUMNS, OURS, is_deletable
from bootstrap.reconciler.properties import recorded
from bootstrap.reconciler.tables import relayout
from bootstrap.reconciler.tables.wanted import COMMENT
from lakehouse.spec.nested import in_file

#: Properties that engines, catalogs and loads set for themselves. Nobody chose them, so they are not in a file.
_BOOKKEEPING = (OURS, "ingest.", "created-at", "owner", "history.", "schema.name-mapping", "trino")


def described(table: TableFacts, usual_location: str, named: Collection[str] = ()) -> dict[str, Any]:
    """A table's entry, without values that equal the file's defaults. ``named`` are properties that the file has."""
    named = {*named, *recorded(table.properties)}  # a property that a file once set is kept: a plan would unset it
    marked = set(table.properties.get(DELETABLE_COLUMNS, "").split(","))
    paths = {field.id: path for path, field in walk(table.schema)}
    columns: dict[str, Any] = {}
    for field in table.schema.fields:
        column: dict[str, Any] = {"type": in_file(field.type)}
        if field.required:
            column["required"] = True
        if field.doc is not None:
            column["doc"] = field.doc
        if field.initial_default is not None:
            column["initial_default"] = field.initial_default
        if field.write_default is not None:
            column["write_default"] = field.write_default
        if field.name in marked:
            column["deletable"] = True
        short = len(column) == 1 and isinstance(column["type"], str)
        columns[field.name] = column["type"] if short else column
    entry: dict[str, Any] = {"columns": columns}
    if partition := relayout.partition_terms(table):
        entry["partition_by"] = [str(term) for term in partition]
    if sorting := relayout.sort_terms(table):
        entry["sort_by"] = [str(term) for term in sorting]
    if table.identifier:
        entry["identifier"] = sorted(paths[number] for number in table.identifier)
    if properties := {k: v for k, v in table.properties.items() if k != COMMENT and _wished(k, v, named)}:
        entry["properties"] = properties
    if table.format_version != 2:
        entry["format_version"] = table.format_version
    if table.location.rstrip("/") != usual_location:
        entry["location"] = table.location.rstrip("/")
    if COMMENT in table.properties:
        entry["doc"] = table.properties[COMMENT]
    if is_deletable(table.properties):
        entry["deletable"] = True
    return entry


def _wished(key: str, value: str, named: Collection[str]) -> bool:
    # Nessie turns garbage collection off in every table; if it is on, somebody chose that.
    return key in named or not (key.startswith(_BOOKKEEPING) or (key, value) == ("gc.enabled", "false"))
