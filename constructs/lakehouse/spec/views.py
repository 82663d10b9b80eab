"""Rules for a view's entry, and what its SQL shows of the tables that it reads."""

from __future__ import annotations

from collections.abc import Container, Iterator

from lakehouse.iceberg import types
from lakehouse.spec.further import no_secrets
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Lakehouse, Table, View
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.sql import words
from lakehouse.text.words import listed, suggest

_RESERVED = {
    "comment": "doc",
    "write.metadata.path": "nothing: its metadata files are in its folder",
    "location": "nothing: it is the namespace's folder, and the name of the view",
}

_FIX = "If it means that, write {}; else remove `renamed_from` once it is applied"


def check_view(namespace: KeyPath, name: str, view: View, tables: Container[str]) -> Iterator[Problem]:
    """Problems of a view in a ``namespace`` with these ``tables``."""
    at = (*namespace, "views", name)
    if name in tables:
        message = f'"{name}" is also the name of a table, and names in a namespace are unique. Rename one.'
        yield Problem(at, message, beside=(*namespace, "tables", name))
    yield from no_secrets((*at, "properties"), view.properties)
    for key in view.properties:
        if key in _RESERVED:
            yield Problem((*at, "properties", key), f'"{key}" is not a property here: it is set by {_RESERVED[key]}')
    seen: dict[str, str] = {}
    for column, definition in view.columns.items():
        place = (*at, "columns", column)
        if (first := seen.setdefault(column.lower(), column)) != column:
            message = f'"{column}" and "{first}" differ only in case, and engines treat them as one column. Rename one.'
            yield Problem(place, message, beside=(*at, "columns", first))
        if newer := sorted(types.names(definition.type.parsed) & types.VERSION_3):
            message = f'"{newer[0]}" is a type of Iceberg\'s format 3, which not every engine reads from a view'
            yield Problem((*place, "type"), f"{message}. Cast it in the query, as to {_cast(newer[0])}")
        documented = any(field.doc is not None for _, field in types.fields(definition.type.parsed))
        if documented or definition.type.former:
            message = "fields of structs have docs and former names in tables, not in views. Remove them"
            yield Problem((*place, "type"), message)


def _cast(newer: str) -> str:
    return newer.removesuffix("_ns") if newer.endswith("_ns") else "string"


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """SQL that no engine reads or that reads a column by its former name, and engines that have no SQL."""
    used = [word for word in known().engines if getattr(lakehouse.engines, word) is not None]
    for catalog, content in lakehouse.catalogs.items():
        tables = [
            (f"{namespace}.{name}", table)
            for namespace, inner in content.namespaces.items()
            for name, table in inner.tables.items()
        ]
        for namespace, inner in content.namespaces.items():
            for name, view in inner.views.items():
                at: KeyPath = ("catalogs", catalog, "namespaces", namespace, "views", name)
                yield from _engines(at, view, used)
                for engine, sql in view.sql.items():
                    yield from _former((*at, "sql", engine), words(sql), tables)


def _engines(at: KeyPath, view: View, used: list[str]) -> Iterator[Problem]:
    for dialect in view.sql:
        if dialect not in known().engines:
            rule = f'no engine of a lakehouse reads SQL of "{dialect}"'
            yield Problem((*at, "sql", dialect), f"{rule}.{suggest(dialect, known().engines)}")
    if used and not any(engine in view.sql for engine in used):
        message = f"no engine of the file can read the view. Add the SQL of {listed(used)}"
        yield Problem((*at, "sql"), message)


def _former(at: KeyPath, named: frozenset[str], tables: list[tuple[str, Table]]) -> Iterator[Problem]:
    """Former names of tables and columns that the SQL seems to read: after the rename, the query fails."""
    for full, table in tables:
        former = (table.renamed_from or "").rpartition(".")[2]
        if former and former != full.rpartition(".")[2] and former in named:
            yield Problem(at, f'it says "{former}", the former name of the table {full}. {_FIX.format(full)}')
        if full.rpartition(".")[2] in named:
            for column, definition in table.columns.items():
                if definition.renamed_from is not None and definition.renamed_from.lower() in named:
                    rule = f'it says "{definition.renamed_from}", the former name of {full}.{column}'
                    yield Problem(at, f"{rule}. {_FIX.format(column)}")
