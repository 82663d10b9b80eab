"""What each principal must be allowed and denied at the object store: what `lakehouse access test` tries.

It is derived from the grants and the places of the tables, and not from the policies, so that a policy that allows too
much or too little is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lakehouse.access.grants import VERBS, covers, plain
from lakehouse.access.scope import folder, prefix, written
from lakehouse.spec import Lakehouse, Verb

FileOperation = Literal["list", "get", "put", "delete"]
#: The lowest verb that allows an operation on files.
NEEDS: dict[FileOperation, Verb] = {"list": "read", "get": "read", "put": "write", "delete": "write"}


@dataclass(frozen=True)
class TableFolder:
    """A folder of the store, and whose files are in it: a namespace's, a table's or a view's."""

    catalog: str
    namespace: str
    table: str  # empty: the namespace's own folder
    bucket: str
    key: str

    @property
    def name(self) -> str:
        """CATALOG.NAMESPACE or CATALOG.NAMESPACE.TABLE."""
        return ".".join(filter(None, (self.catalog, self.namespace, self.table)))


@dataclass(frozen=True)
class Call:
    """One operation of one principal at one place, and whether the file allows it."""

    principal: str
    operation: FileOperation
    place: TableFolder
    allowed: bool


def places(lakehouse: Lakehouse) -> list[TableFolder]:
    """Every folder that the file's namespaces, tables and views have, each once, in the file's order."""
    found: dict[tuple[str, str], TableFolder] = {}
    for catalog, content in lakehouse.catalogs.items():
        for namespace, inner in content.namespaces.items():
            own = folder(content, namespace)
            bucket, key = prefix(own)
            found[bucket, key] = TableFolder(catalog, namespace, "", bucket, key)
            for table, definition in inner.tables.items():
                home = prefix(definition.location or f"{own}/{table}")
                for bucket, key in (home, *sorted(written(definition))):
                    found[bucket, key] = TableFolder(catalog, namespace, table, bucket, key)
            for view in inner.views:
                bucket, key = prefix(f"{own}/{view}")
                found[bucket, key] = TableFolder(catalog, namespace, view, bucket, key)
    return list(found.values())


def calls(lakehouse: Lakehouse) -> Iterator[Call]:
    """Every principal's operations on every place."""
    where = places(lakehouse)
    for principal, member in lakehouse.access.principals.items():
        if not member.is_known_to("store"):
            continue
        own = plain(lakehouse, principal)
        for place in where:
            here = [each for each in own if covers(lakehouse, each, place.catalog, place.namespace, place.table)]
            highest = max((VERBS.index(each.verb) for each in here), default=-1)
            for operation, needed in NEEDS.items():
                yield Call(principal, operation, place, highest >= VERBS.index(needed))
