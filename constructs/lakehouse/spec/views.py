"""Rules for a view's entry, and what its SQL shows of the tables that it reads."""

from __future__ import annotations

from collections.abc import Container, Iterator

from lakehouse.iceberg import types
from lakehouse.spec.further import no_secrets
from lakehouse.spec.kinds import known
from lakehouse.spec.model import Catalog, Lakehouse, View
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
        renamed = _Renamed(content)
        for namespace, inner in content.namespaces.items():
            for name, view in inner.views.items():
                at: KeyPath = ("catalogs", catalog, "namespaces", namespace, "views", name)
                yield from _engines(at, view, used)
                for engine, sql in view.sql.items():
                    yield from renamed.read_by((*at, "sql", engine), words(sql))


def _engines(at: KeyPath, view: View, used: list[str]) -> Iterator[Problem]:
    for dialect in view.sql:
        if dialect not in known().engines:
            rule = f'no engine of a lakehouse reads SQL of "{dialect}"'
            yield Problem((*at, "sql", dialect), f"{rule}.{suggest(dialect, known().engines)}")
    if used and not any(engine in view.sql for engine in used):
        message = f"no engine of the file can read the view. Add the SQL of {listed(used)}"
        yield Problem((*at, "sql"), message)


class _Renamed:
    """The tables of a catalog that have a former name, or columns with one, by the words that SQL has for them.

    So a query costs as much as it has words, however many tables there are.
    """

    def __init__(self, content: Catalog) -> None:
        self._tables: dict[str, list[str]] = {}  # full names by the former name
        self._columns: dict[str, list[tuple[str, str, str]]] = {}  # full name, column, former name; by the table's name
        for namespace, inner in content.namespaces.items():
            for name, table in inner.tables.items():
                full, former = f"{namespace}.{name}", (table.renamed_from or "").rpartition(".")[2]
                if former and former != name:
                    self._tables.setdefault(former, []).append(full)
                for column, definition in table.columns.items():
                    if definition.renamed_from is not None:
                        self._columns.setdefault(name, []).append((full, column, definition.renamed_from))

    def read_by(self, at: KeyPath, named: frozenset[str]) -> Iterator[Problem]:
        """Former names of tables and columns that the SQL seems to read: after the rename, the query fails."""
        for former in sorted(named & self._tables.keys()):
            for full in self._tables[former]:
                yield Problem(at, f'it says "{former}", the former name of the table {full}. {_FIX.format(full)}')
        for name in sorted(named & self._columns.keys()):
            for full, column, former in self._columns[name]:
                if former.lower() in named:
                    rule = f'it says "{former}", the former name of {full}.{column}'
                    yield Problem(at, f"{rule}. {_FIX.format(column)}")
