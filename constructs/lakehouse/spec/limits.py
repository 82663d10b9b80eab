"""What an engine does not support: a matrix engine x catalog x feature, whose cells the kinds define.

Each cell was seen on the real engine. ``validate`` refuses what would make a table unreadable or unwritable for an
engine, and warns of what an engine only does not see. docs/compatibility.md is printed from the matrix. The bootstrap
checks the other limits of a catalog's kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lakehouse.iceberg import types
from lakehouse.spec.kinds import Feature, Limit, known
from lakehouse.spec.model import Catalog, Lakehouse, Table, View
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack

_PATH = 255  # bytes that one part of a path may have, on every usual file system
_VALUE = 55  # bytes of those that a partition's value may need

_LIMITED = {"time": Feature.TIME, "timestamp_ns": Feature.NANOS, "timestamptz_ns": Feature.NANOS}  # types


class _Cell(NamedTuple):
    """A limit, the engine that has it, and the kinds of catalog to which it applies (empty: all kinds)."""

    limit: Limit
    engine: str
    catalogs: tuple[str, ...] = ()


class _Use(NamedTuple):
    """A feature that the file uses; ``engine``: only that engine is to have it."""

    feature: Feature
    catalog: str
    at: KeyPath
    value: str
    about: tuple[KeyPath, ...] = ()
    engine: str = ""


def cells() -> list[_Cell]:
    """The whole matrix, in the order of the features."""
    every = known()
    found = [
        _Cell(each, kind.word) for kind in (*every.engines.values(), *every.stores.values()) for each in kind.limits
    ]
    found += [_Cell(each, each.engine, (kind.word,)) for kind in every.catalogs.values() for each in kind.limits]
    order = list(Feature)
    return sorted(found, key=lambda cell: order.index(cell.limit.feature))


def refusals(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What an engine of the file cannot read or write."""
    return _found(lakehouse, refused=True)


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What an engine of the file does not see, or will not do. The file is still valid."""
    return _found(lakehouse, refused=False)


def _found(lakehouse: Lakehouse, *, refused: bool) -> Iterator[Problem]:
    engines = _engines(lakehouse)
    by_feature: dict[Feature, list[_Cell]] = {}
    for cell in cells():
        if cell.limit.refused == refused and cell.engine in engines:
            by_feature.setdefault(cell.limit.feature, []).append(cell)
    for name, catalog in lakehouse.catalogs.items():
        kinds = {stack.catalogs[name].kind for stack in lakehouse.stacks.values() if name in stack.catalogs}
        for use in _uses(name, catalog):
            for cell in by_feature.get(use.feature, ()):
                if use.engine not in ("", cell.engine):
                    continue
                if not cell.catalogs or not kinds.isdisjoint(cell.catalogs):
                    rule = cell.limit.rule.format(use.value)
                    yield Problem(use.at, f"{rule}. {cell.limit.fix}", use.about)
    if refused:
        for word, engine in known().engines.items():
            if word in engines and engine.hidden is not None:
                yield from engine.hidden(lakehouse)


def _engines(lakehouse: Lakehouse) -> set[str]:
    stacks = lakehouse.stacks.values()
    managed = any(isinstance(stack, AwsStack) and stack.engines == "managed" for stack in stacks)
    found = {word for word in known().engines if getattr(lakehouse.engines, word) is not None}
    found |= {word for word, kind in known().engines.items() if managed and kind.managed}
    return {"maintain", *found, *(stack.store.kind for stack in stacks)}


def _uses(name: str, catalog: Catalog) -> Iterator[_Use]:
    at: KeyPath = ("catalogs", name, "namespaces")
    references = bool(catalog.branches or catalog.tags)
    for namespace, content in catalog.namespaces.items():
        place = (*at, namespace)
        if "." in namespace:
            yield _Use(Feature.NESTED, name, place, namespace)
        if namespace == "information_schema":
            yield _Use(Feature.INFORMATION, name, place, namespace)
        if namespace == "system":
            yield _Use(Feature.SYSTEM, name, place, namespace)
            if "iceberg_tables" in content.tables:
                yield _Use(Feature.ICEBERG_TABLES, name, (*place, "tables", "iceberg_tables"), "system.iceberg_tables")
        if any(len(level.encode()) > _PATH for level in namespace.split(".")):
            yield _Use(Feature.LONG, name, place, namespace)
        for table, definition in content.tables.items():
            inner = (*place, "tables", table)
            yield from _table(name, inner, definition, references)
        for view, query in content.views.items():
            yield from _view(name, (*place, "views", view), query)


def _view(catalog: str, at: KeyPath, view: View) -> Iterator[_Use]:
    times = [name for name, column in view.columns.items() if "time" in types.names(column.type.parsed)]
    for engine in view.sql:
        yield _Use(Feature.VIEW, catalog, (*at, "sql", engine), str(at[-1]), engine=engine)
        for name in times:
            yield _Use(Feature.TIME, catalog, (*at, "columns", name, "type"), "time", engine=engine)


def _table(catalog: str, at: KeyPath, table: Table, references: bool) -> Iterator[_Use]:
    if table.format_version > 2:
        yield _Use(Feature.FORMAT_3, catalog, (*at, "format_version"), str(table.format_version))
    for name, column in table.columns.items():
        for each in sorted(types.names(column.iceberg_type) & _LIMITED.keys()):
            if table.format_version > 2 or each not in types.VERSION_3:  # another check reports those
                yield _Use(_LIMITED[each], catalog, (*at, "columns", name, "type"), each)
    for nth, field in enumerate(table.partition_by):
        if field.wrong:
            continue  # another check reports it
        term = field.term
        place = (*at, "partition_by", nth)
        column_at = (*at, "columns", term.column.partition(".")[0])
        kind = _type_of(table, term.column)
        if term.name == "identity" and isinstance(kind, str) and types.base(kind) == "fixed":
            yield _Use(Feature.FIXED, catalog, place, term.column, (column_at,))
        fanout = table.properties.get("write.spark.fanout.enabled", "").lower() == "true"
        if term.name == "bucket" and kind == "uuid" and table.sort_by and not fanout:
            yield _Use(Feature.UUID, catalog, place, term.column, (column_at,))
        if len(term.field_name.encode()) > _PATH - _VALUE:
            yield _Use(Feature.LONG, catalog, place, term.column, (column_at,))
    for key, value in table.properties.items():
        place = (*at, "properties", key)
        if key.endswith("parquet.compression-codec") and value.lower() == "brotli":
            yield _Use(Feature.BROTLI, catalog, place, value)
        elif key == "write.location-provider.impl":
            yield _Use(Feature.PROVIDER, catalog, place, value)
        elif key == "write.metadata.delete-after-commit.enabled" and value.lower() == "true":
            yield _Use(Feature.DELETED_BESIDE if references else Feature.DELETED, catalog, place, key)


def _type_of(table: Table, path: str) -> types.Type | None:
    first, *inner = path.split(".")
    column = table.columns.get(first)
    kind = column.iceberg_type if column else None
    for name in inner:
        fields = kind.fields if isinstance(kind, types.Struct) else ()
        kind = next((field.type for field in fields if field.name == name), None)
    return kind


def table() -> Iterator[str]:
    """The matrix as lines of Markdown, for docs/compatibility.md."""
    yield "| feature | engine | kind of catalog | what `lakehouse validate` does | why | instead |"
    yield "|---|---|---|---|---|---|"
    for limit, engine, catalogs in cells():
        does = "refuses" if limit.refused else "warns"
        why = re.sub(r' \("?\{\}"?\)', "", limit.rule).replace('"{}"', "it").replace("{}", "it")
        yield f"| {limit.feature} | {engine} | {', '.join(catalogs) or 'every'} | {does} | {why} | {limit.fix} |"


def kinds() -> Iterator[str]:
    """What each kind of catalog can do, as lines of Markdown, for docs/compatibility.md."""
    columns = ("formats", "nested namespaces", "branches, tags", "views", "renames", "commits of several tables")
    yield f"| kind of catalog | {' | '.join(columns)} | history by REST |"
    yield "|---|---|---|---|---|---|---|---|"
    for word, kind in known().catalogs.items():
        can = kind.can
        supported = (can.nested_namespaces, can.references, can.views, can.renames, can.multi_table_commits)
        features = " | ".join("yes" if each else "no" for each in supported)
        history = "yes" if can.history else "no"
        yield f"| {word} | 1 to {can.format_version} | {features} | {history} |"
