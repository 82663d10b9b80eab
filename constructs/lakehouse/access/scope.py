"""From targets of grants to databases, tables and prefixes of object keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse.spec import Lakehouse
from lakehouse.spec.access import split, within
from lakehouse.spec.claims import PATHS
from lakehouse.spec.model import Catalog, Table


@dataclass(frozen=True)
class Scope:
    """The scope of one verb: Glue databases and tables, and prefixes as (bucket, key)."""

    databases: tuple[str, ...]  # those that the verb covers as a whole
    around: tuple[str, ...]  # and those that only contain a table that it covers
    tables: tuple[str, ...]  # DATABASE/TABLE or DATABASE/*
    prefixes: tuple[tuple[str, str], ...]


def scope(lakehouse: Lakehouse, targets: Sequence[str], *, one_folder: bool = False) -> Scope:
    """The common scope of the targets of one verb.

    With ``one_folder``, a catalog has one prefix, that of its location, unless it is all of a bucket. No other
    catalog may keep files there.
    """
    databases: set[str] = set()
    around: set[str] = set()
    tables: set[str] = set()
    prefixes: set[tuple[str, str]] = set()
    for target in targets:
        catalog, *path = split(lakehouse, target)
        content = lakehouse.catalogs[catalog]
        if len(path) == 2:
            namespace, name = path
            definition = content.namespaces[namespace].tables.get(name)
            if definition is None:  # a view has only a folder with its metadata
                prefixes.add(prefix(f"{folder(content, namespace)}/{name}"))
                continue
            around.add(namespace)
            tables.add(f"{namespace}/{name}")
            prefixes.add(prefix(definition.location or f"{folder(content, namespace)}/{name}"))
            prefixes.update(written(definition))
            continue
        if one_folder and not path and content.location.prefix:
            prefixes.add(prefix(content.location))
        for namespace in within(content, path[0]) if path else content.namespaces:
            databases.add(namespace)
            tables.add(f"{namespace}/*")
            prefixes.add(prefix(folder(content, namespace)))
            inner = content.namespaces[namespace].tables.values()
            prefixes.update(prefix(table.location) for table in inner if table.location)
            prefixes.update(prefix for table in inner for prefix in written(table))
    whole = {f"{database}/*" for database in databases}
    return Scope(
        databases=tuple(sorted(databases)),
        around=tuple(sorted(around - databases)),
        tables=tuple(sorted(whole | {table for table in tables if table.partition("/")[0] not in databases})),
        prefixes=_outermost(prefixes),
    )


def folder(content: Catalog, namespace: str) -> str:
    """The default folder of a namespace's tables: a nested one is in the folder of its parent."""
    return f"{content.location}/{namespace.replace('.', '/')}"


def written(table: Table) -> set[tuple[str, str]]:
    """Where engines write apart from the table's own folder."""
    return {prefix(table.properties[key]) for key in PATHS if key in table.properties}


def prefix(location: str) -> tuple[str, str]:
    """The bucket and the key of an ``s3://`` location."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def _outermost(prefixes: set[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The prefixes that are in no other one."""

    def inside(bucket: str, key: str) -> bool:
        parts = key.split("/")
        return any((bucket, "/".join(parts[:depth])) in prefixes for depth in range(1, len(parts)))

    return tuple(sorted(each for each in prefixes if not inside(*each)))
