"""What an engine cannot carry, as data: engine x catalog x feature, each cell seen on the real engine.

``validate`` refuses what would make a table unreadable or unwritable there, and warns of what an engine only does not
see. docs/compatibility.md is printed from it. Other limits of a catalog's kind alone are those of the bootstrap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lakehouse.iceberg import transforms, types
from lakehouse.spec.model import Catalog, Lakehouse, Maintenance, Table
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.stacks import AwsStack, LocalStack

LimitedEngine = Literal["spark", "trino", "maintain", "s3proxy"]
_PATH = 255  # bytes of one part of a path, on every usual file system
_VALUE = 55  # bytes of it that a partition's value may need


@dataclass(frozen=True)
class Limit:
    """One cell. ``rule`` says what the engine does, ``fix`` what to write; ``{}`` is what the file says."""

    feature: str
    engine: LimitedEngine
    refused: bool  # else it is a warning
    rule: str
    fix: str
    catalogs: tuple[str, ...] = ()  # kinds that it holds for; empty: every kind

    def problem(self, use: _Use) -> Problem:
        return Problem(use.at, f"{self.rule.format(use.value)}. {self.fix}", use.about)


class _Use(NamedTuple):
    """A feature that the file uses."""

    feature: str
    catalog: str
    at: KeyPath
    value: str
    about: tuple[KeyPath, ...] = ()


#: Features of a file that an engine may lack.
_TIME = "a column of type time, also inside a list, map or struct"
_NESTED = "a nested namespace"
_INFORMATION = "the namespace information_schema"
_ICEBERG_TABLES = "the table iceberg_tables in the namespace system"
_SYSTEM = "the namespace system"
_FIXED = "partitions by the values of a fixed column"
_UUID = "partitions by buckets of a uuid column, beside sort_by"
_BROTLI = "brotli as the codec of Parquet files"
_PROVIDER = "a location provider of one's own"
_LONG = "names of over 255 bytes in a path, over 200 where a column's values are in it"
_DELETED_BESIDE = "metadata files that engines delete, beside branches or tags"
_DELETED = "metadata files that engines delete"
_EXPIRY_BESIDE = "expiry of snapshots or orphans beside branches or tags"
_EXPIRY_GC = "expiry of snapshots or orphans without gc.enabled"

LIMITS = (
    Limit(
        _TIME, "spark", True,
        "Spark cannot load a table that has a column of type time",
        "Use timestamp, or string; or leave `spark` out of `engines`",
    ),
    Limit(
        _NESTED, "trino", False,
        'Trino does not see the tables of the nested namespace "{}" in this kind of catalog; Spark does',
        "Use a namespace of one level for what Trino is to read",
        ("nessie",),
    ),
    Limit(
        _INFORMATION, "trino", True,
        'Trino shows its own views as "{}", and cannot read tables there',
        "Take another name",
    ),
    Limit(
        _ICEBERG_TABLES, "trino", True,
        'Trino shows a table of its own as "{}", and cannot read another',
        "Take another name",
    ),
    Limit(
        _SYSTEM, "trino", False,
        '"{}" also holds procedures of Trino and Spark, and a table of Trino: its own tables stand beside them',
        "Another name is clearer",
    ),
    Limit(
        _FIXED, "trino", True,
        'Trino cannot read a table that is partitioned by "{}", of type fixed',
        "Use binary, or bucket(n, ...)",
    ),
    Limit(
        _UUID, "spark", True,
        'Spark sorts uuids as text, and so cannot write sorted files into buckets of "{}"',
        "Set the property `write.spark.fanout.enabled: true`, or leave `sort_by` out",
    ),
    Limit(
        _BROTLI, "spark", True,
        "Spark cannot write Parquet with {}: it comes without that codec",
        "Write zstd",
    ),
    Limit(
        _PROVIDER, "trino", True,
        "Trino cannot write a table with the location provider {}",
        "Remove it; `write.data.path` and `write.object-storage.enabled` work in every engine",
    ),
    Limit(
        _LONG, "s3proxy", True,
        '"{}" is too long: S3Proxy keeps objects as files, and no part of a path has more than 255 bytes',
        "Take a shorter name",
    ),
    Limit(
        _DELETED_BESIDE, "maintain", True,
        "engines would delete metadata files ({}) that the catalog's branches and tags need to be read",
        "Remove it; `lakehouse maintain` removes what nothing needs",
        ("nessie",),
    ),
    Limit(
        _DELETED, "maintain", False,
        "engines delete metadata files ({}), and a branch or tag that is made meanwhile cannot be read later",
        "Remove it; `lakehouse maintain` removes what nothing needs",
        ("nessie",),
    ),
    Limit(
        _EXPIRY_BESIDE, "maintain", False,
        "`lakehouse maintain` refuses {} while the catalog has branches or tags, because they may need the files",
        "Add `ignore_references: true` if they may lose them",
        ("nessie",),
    ),
    Limit(
        _EXPIRY_GC, "maintain", False,
        "`lakehouse maintain` refuses {}: Nessie takes gc.enabled for false where a table does not say true",
        "Add `gc.enabled: true` to the table's `properties`",
        ("nessie",),
    ),
)  # fmt: skip
_BY_FEATURE = {limit.feature: limit for limit in LIMITS}


def refusals(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What an engine of the file could not read or write."""
    return _found(lakehouse, refused=True)


def warnings(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What an engine of the file does not see, or will not do; the file is valid all the same."""
    return _found(lakehouse, refused=False)


def trino_catalog(catalog: str, branch: str) -> str:
    """The name that a branch of a catalog has as a catalog of Trino, which cannot name branches in a query."""
    return f"{catalog}_{re.sub('[^a-z0-9]', '_', branch.lower())}"


def _found(lakehouse: Lakehouse, *, refused: bool) -> Iterator[Problem]:
    engines = _engines(lakehouse)
    kinds = {name: {stack.catalogs.get(name) for stack in lakehouse.stacks.values()} for name in lakehouse.catalogs}
    for name, catalog in lakehouse.catalogs.items():
        for use in _uses(name, catalog):
            limit = _BY_FEATURE[use.feature]
            if (
                limit.refused == refused
                and limit.engine in engines
                and (not limit.catalogs or not kinds[name].isdisjoint(limit.catalogs))
            ):
                yield limit.problem(use)
    if refused and "trino" in engines:
        yield from _same_names(lakehouse)


def _engines(lakehouse: Lakehouse) -> set[str]:
    found = {"maintain"}
    stacks = lakehouse.stacks.values()
    if lakehouse.engines.spark is not None or any(isinstance(s, AwsStack) and s.engines == "managed" for s in stacks):
        found.add("spark")  # EMR's Spark, where AWS brings the engines
    if lakehouse.engines.trino is not None:
        found.add("trino")
    if any(isinstance(stack, LocalStack) and stack.store == "s3proxy" for stack in stacks):
        found.add("s3proxy")
    return found


def _same_names(lakehouse: Lakehouse) -> Iterator[Problem]:
    """Branches that Trino would show by a name that is taken: only one of the two could be seen."""
    further = lakehouse.engines.trino.catalogs if lakehouse.engines.trino else {}
    taken: dict[str, KeyPath] = {name: ("engines", "trino", "catalogs", name) for name in further}
    taken |= {name: ("catalogs", name) for name in lakehouse.catalogs}
    for name, catalog in lakehouse.catalogs.items():
        for branch in catalog.branches:
            at = ("catalogs", name, "branches", branch)
            shown = trino_catalog(name, branch)
            if (other := taken.setdefault(shown, at)) != at:
                message = f'Trino shows it as the catalog "{shown}", which is there already. Take another name.'
                yield Problem(at, message, beside=other)


def _uses(name: str, catalog: Catalog) -> Iterator[_Use]:
    at: KeyPath = ("catalogs", name, "namespaces")
    references = bool(catalog.branches or catalog.tags)
    yield from _policy(name, ("catalogs", name, "maintenance"), catalog.maintenance, references)
    for namespace, content in catalog.namespaces.items():
        place = (*at, namespace)
        if "." in namespace:
            yield _Use(_NESTED, name, place, namespace)
        if namespace == "information_schema":
            yield _Use(_INFORMATION, name, place, namespace)
        if namespace == "system":
            yield _Use(_SYSTEM, name, place, namespace)
            if "iceberg_tables" in content.tables:
                yield _Use(_ICEBERG_TABLES, name, (*place, "tables", "iceberg_tables"), "system.iceberg_tables")
        if any(len(level.encode()) > _PATH for level in namespace.split(".")):
            yield _Use(_LONG, name, place, namespace)
        yield from _policy(name, (*place, "maintenance"), content.maintenance, references)
        for table, definition in content.tables.items():
            inner = (*place, "tables", table)
            yield from _table(name, inner, definition, references)
            yield from _policy(name, (*inner, "maintenance"), definition.maintenance, references)
            policy = definition.maintenance or content.maintenance or catalog.maintenance
            yield from _collected(name, inner, definition, policy)


def _policy(catalog: str, at: KeyPath, policy: Maintenance | None, references: bool) -> Iterator[_Use]:
    if policy is not None and references and not policy.ignore_references:
        for key in _deleting(policy):
            yield _Use(_EXPIRY_BESIDE, catalog, (*at, key), f"`{key}`")


def _collected(catalog: str, at: KeyPath, table: Table, policy: Maintenance | None) -> Iterator[_Use]:
    if policy is not None and table.properties.get("gc.enabled", "").lower() != "true":
        for key in _deleting(policy)[:1]:
            yield _Use(_EXPIRY_GC, catalog, at, f"`{key}`")


def _deleting(policy: Maintenance) -> list[str]:
    return [key for key in ("expire_snapshots", "remove_orphans") if getattr(policy, key) is not None]


def _table(catalog: str, at: KeyPath, table: Table, references: bool) -> Iterator[_Use]:
    for name, column in table.columns.items():
        if "time" in types.names(column.iceberg_type):
            yield _Use(_TIME, catalog, (*at, "columns", name, "type"), "time")
    for nth, text in enumerate(table.partition_by):
        try:
            term = transforms.partition_field(text)
        except ValueError:
            continue  # told elsewhere
        place = (*at, "partition_by", nth)
        column_at = (*at, "columns", term.column.partition(".")[0])
        kind = _type_of(table, term.column)
        if term.name == "identity" and isinstance(kind, str) and types.base(kind) == "fixed":
            yield _Use(_FIXED, catalog, place, term.column, (column_at,))
        fanout = table.properties.get("write.spark.fanout.enabled", "").lower() == "true"
        if term.name == "bucket" and kind == "uuid" and table.sort_by and not fanout:
            yield _Use(_UUID, catalog, place, term.column, (column_at,))
        if len(term.field_name.encode()) > _PATH - _VALUE:
            yield _Use(_LONG, catalog, place, term.column, (column_at,))
    for key, value in table.properties.items():
        place = (*at, "properties", key)
        if key.endswith("parquet.compression-codec") and value.lower() == "brotli":
            yield _Use(_BROTLI, catalog, place, value)
        elif key == "write.location-provider.impl":
            yield _Use(_PROVIDER, catalog, place, value)
        elif key == "write.metadata.delete-after-commit.enabled" and value.lower() == "true":
            yield _Use(_DELETED_BESIDE if references else _DELETED, catalog, place, key)


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
    for each in LIMITS:
        does = "refuses" if each.refused else "warns"
        why = each.rule.replace('"{}"', "it").replace("({})", "").replace("{}", "it").replace("  ", " ")
        kinds = ", ".join(each.catalogs) or "every"
        yield f"| {each.feature} | {each.engine} | {kinds} | {does} | {why} | {each.fix} |"
