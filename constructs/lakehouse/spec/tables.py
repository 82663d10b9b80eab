"""Rules of Iceberg's Java library for a table, beyond Iceberg's format: reserved names, values of properties."""

from __future__ import annotations

from collections.abc import Iterator

from lakehouse.iceberg import names, properties, types
from lakehouse.spec.model import Lakehouse, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.text.words import suggest

_FORMAT = "write.format.default"


def check_table(at: KeyPath, table: Table) -> Iterator[Problem]:
    """Problems of one table's entry."""
    yield from _columns(at, table)
    yield from _layout(at, table)
    for key, value in table.properties.items():
        yield from _property((*at, "properties", key), key, value, table)
    if (path := _unreadable_in_orc(table)) is not None:
        message = (
            f'"orc" does not fit: partition_by has every field of "{path}", so the files do not contain it, '
            "and Iceberg's ORC readers cannot read a struct without fields. Write parquet, or bucket one of the fields"
        )
        yield Problem((*at, "properties", _FORMAT), message, about=((*at, "partition_by"),))


def _unreadable_in_orc(table: Table) -> str | None:
    """The path of a struct that an ORC reader would not find, because all of its fields are partition values."""
    if table.properties.get(_FORMAT, "").lower() != "orc":
        return None
    terms = [field.term for field in table.partition_by if not field.wrong]  # another check reports the others
    held = {term.column for term in terms if term.name == "identity"}
    for path in held:
        outer, _, _ = path.rpartition(".")
        kind = _type_at(outer, table)
        if isinstance(kind, types.Struct) and all(f"{outer}.{field.name}" in held for field in kind.fields):
            return outer
    return None


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Table properties that nothing will read, because their names are misspelt."""
    for catalog, content in lakehouse.catalogs.items():
        for namespace, inner in content.namespaces.items():
            for table, definition in inner.tables.items():
                at = ("catalogs", catalog, "namespaces", namespace, "tables", table, "properties")
                for key in definition.properties:
                    if why := properties.misspelt(key):
                        yield Problem((*at, key), why)


def _property(at: KeyPath, key: str, value: str, table: Table) -> Iterator[Problem]:
    if key in properties.RESERVED:
        yield Problem(at, f'"{key}" is not a property here: it is set by {properties.RESERVED[key]}')
    elif why := properties.refusal(key, value):
        yield Problem(at, why)
    elif (column := properties.column(key)) is not None and _type_at(column, table) is None:
        message = f'"{column}" is not a column of the table, and Iceberg creates no table with {key} for it'
        yield Problem(at, f"{message}.{suggest(column, table.columns)}", about=((*at[:-2], "columns", column),))


def _type_at(path: str, table: Table) -> types.Type | None:
    """The type of the field that Iceberg's Java library finds by this path, or None.

    The path may leave out a list's element and a map's value.
    """
    name, *parts = path.split(".")
    kind = table.columns[name].iceberg_type if name in table.columns else None
    for part in parts:
        if isinstance(kind, types.List | types.Map):
            inner = kind.element if isinstance(kind, types.List) else kind.key if part == "key" else kind.value
            if part in ("element", "key", "value"):
                kind = inner
                continue
            kind = inner
        fields = {field.name: field.type for field in kind.fields} if isinstance(kind, types.Struct) else {}
        kind = fields.get(part)
    return kind


def _columns(at: KeyPath, table: Table) -> Iterator[Problem]:
    written: dict[str, str] = {}
    folded: dict[str, str] = {}
    for name in table.columns:
        place = (*at, "columns", name)
        if hidden := names.metadata_column(name):
            rule = f'"{name}" is not a name for a column: engines add {hidden}, a metadata column of Iceberg, to every'
            yield Problem(place, f"{rule} table, so Spark could not read this one. Choose another name")
        same = folded.setdefault(names.folded(name), name)
        if same.lower() != name.lower():  # another check reports the usual case
            message = f'"{same}" and "{name}" are the same name for engines, which ignore case. Rename one.'
            yield Problem(place, message, beside=(*at, "columns", same))
        first = written.setdefault(names.in_files(name), name)
        if names.folded(first) != names.folded(name):
            message = f'"{first}" and "{name}" are both written into files as "{names.in_files(name)}". Rename one.'
            yield Problem(place, message, beside=(*at, "columns", first))


def _layout(at: KeyPath, table: Table) -> Iterator[Problem]:
    """Void fields that leave nothing to partition or sort by, although engines treat the table as if there were."""
    for key, fields in (("partition_by", table.partition_by), ("sort_by", table.sort_by)):
        kinds = ["" if field.wrong else field.term.name for field in fields]  # another check reports a wrong one
        if key == "partition_by" and kinds and table.format_version > 1 and set(kinds) == {"void"}:
            message = (
                "void partitions nothing, and Trino cannot change rows of a table with only void fields. Remove it"
            )
            yield Problem((*at, key, 0), message)
        elif key == "sort_by" and "void" in kinds:
            message = "void sorts by nothing, and Spark cannot write to such a table. Remove it"
            yield Problem((*at, key, kinds.index("void")), message)
