"""Renames: a table that has its former name gets the new one. What else changes in it is its table's own change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bootstrap.catalogs.base import RenamesTables
from bootstrap.iceberg import claims
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.reconciler import renames
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import CatalogPair, Differences
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.objects.catalog import CATALOG, closed
from bootstrap.reconciler.objects.namespace import NAMESPACE, renamed_around
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Refused
from lakehouse.spec.claims import parts
from lakehouse.spec.renames import former_names, table_at

RENAME = "rename"
_TABLE = "table"


@dataclass(frozen=True)
class Renamed(Body):
    """A table to rename: its former name, and its UUID."""

    former: str
    uuid: str


class Renames(ObjectKind):
    words = (RENAME,)
    bodies = {"update": Renamed}

    def compare(self, found: Differences) -> None:
        granted = claims.granted(found.lakehouse)
        for catalog in found.catalogs:
            for name, former in former_names(catalog.spec).items():
                table, at = address(_TABLE, catalog.name, name), table_at(catalog.name, name)
                if table in found.barred:
                    continue  # its namespace does not get its new name
                if why := _refusal(found, catalog, name, former, granted):
                    found.refuse(table, why, (*at, "renamed_from"))
                elif name in catalog.facts.renamed:
                    line = f"table {former} -> {name}: it keeps its rows, history and folder"
                    body = Renamed(former, catalog.facts.tables[name].uuid)
                    found.changes.append(Change("update", RENAME, catalog.name, name, (Detail("~", line),), body))

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        yield address(CATALOG, "", change.catalog)  # it allows the table's location in another namespace
        yield address(NAMESPACE, change.catalog, change.name.rpartition(".")[0])
        assert isinstance(change.body, Renamed)
        before = renamed_around(replace(change, name=change.body.former))
        yield from dict.fromkeys((*renamed_around(change), *before))

    def part_of(self, change: Change) -> str:
        return address(_TABLE, change.catalog, change.name)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        catalog = work.catalog(change.catalog)
        assert isinstance(change.body, Renamed)
        if not isinstance(catalog, RenamesTables):
            raise Refused(f"{change.address}: the catalog renames no tables")
        catalog.rename_table(change.body.former, change.name, change.body.uuid)
        return ""


def _refusal(found: Differences, catalog: CatalogPair, name: str, former: str, granted: Iterable[str]) -> str:
    """Why the table does not get its new name; empty if it does, or if no table has the former one."""
    facts = catalog.facts
    full, old = f"{catalog.name}.{name}", f"{catalog.name}.{former}"
    if name in facts.renamed or not renames.exists(name, facts):
        space = next((each for each in _renamed_around(catalog, former) if each in found.barred), "")
        if space:
            return f'its former namespace does not get its new name: first fix "{space}"'
    if (former in facts.tables or former in facts.others) and renames.exists(name, facts):
        rule = f"{old} and {full} both exist, and neither is touched"
        return f"{rule}. Remove `renamed_from` if they are two tables; else drop the one that is not needed"
    if former in facts.others:
        return f"{old} is not an Iceberg table. Remove `renamed_from`"
    if name not in facts.renamed:
        return ""
    if not facts.limits.renames:
        rule = f"{facts.limits.kind} renames no table in one step, and {old} stays as it is"
        return f"{rule}. Rename it with an engine: ALTER TABLE {old} RENAME TO {full}"
    return closed(found, catalog.name) or ungranted(catalog, name, facts.tables[name], granted)


def _renamed_around(catalog: CatalogPair, table: str) -> Iterator[str]:
    """The addresses of the namespaces that a table is in and that have a former name."""
    levels = table.split(".")
    for name in (".".join(levels[:depth]) for depth in range(1, len(levels))):
        space = catalog.spec.namespaces.get(name)
        if space is not None and space.renamed_from is not None:
            yield address(NAMESPACE, catalog.name, name)


def ungranted(catalog: CatalogPair, name: str, table: TableFacts, granted: Iterable[str]) -> str:
    """Why the grants of the new name would not reach the table's files, which stay; empty if they would."""
    namespace, _, short = name.rpartition(".")
    known = catalog.spec.namespaces[namespace].tables if namespace in catalog.spec.namespaces else {}
    if short in known and known[short].location is not None:
        return ""
    here = parts(table.location)
    for target in (name, namespace):
        folder = parts(f"{catalog.spec.location}/{target.replace('.', '/')}")
        if f"{catalog.name}.{target}" in granted and here[: len(folder)] != folder:
            rule = f"`access` grants {catalog.name}.{target} by its folder, and the files of {name} stay at"
            return f"{rule} {table.location}. Write `location: {table.location}` on it, so that the grants follow"
    return ""
