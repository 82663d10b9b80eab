"""Renames of namespaces. No protocol of a catalog has a call for it: all tables move, and the former namespace goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bootstrap.catalogs.base import RenamesNamespaces, RenamesTables
from bootstrap.catalogs.moving import move
from bootstrap.iceberg import claims
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Moving
from bootstrap.reconciler import renames
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import CatalogPair, Differences
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.marks import RENAMED_FROM
from bootstrap.reconciler.objects.catalog import CATALOG, closed
from bootstrap.reconciler.objects.namespace import renamed_around
from bootstrap.reconciler.objects.rename import ungranted
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Refused
from lakehouse.spec.renames import former_namespaces

RENAME_NAMESPACE = "rename-namespace"


@dataclass(frozen=True)
class RenamedNamespace(Body):
    """A namespace to rename, and what is in it: the properties of namespaces, also its own, and the UUIDs of tables."""

    former: str
    namespaces: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, str]


class NamespaceRenames(ObjectKind):
    words = (RENAME_NAMESPACE,)
    bodies = {"update": RenamedNamespace}

    def compare(self, found: Differences) -> None:
        for catalog in found.catalogs:
            for name, former in former_namespaces(catalog.spec).items():
                if why := _refusal(found, catalog, name, former):
                    at = ("catalogs", catalog.name, "namespaces", name, "renamed_from")
                    found.refuse(address("namespace", catalog.name, name), why, at)
                    found.barred |= set(_inside(catalog, name))
                elif (moving := catalog.facts.moving.get(name)) is not None:
                    body = RenamedNamespace(former, moving.namespaces, moving.tables)
                    details = (Detail("~", _line(name, moving)),)
                    found.changes.append(Change("update", RENAME_NAMESPACE, catalog.name, name, details, body))

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        yield address(CATALOG, "", change.catalog)  # it allows the tables' locations in another namespace
        yield from (each for each in renamed_around(change) if each != change.address)

    def part_of(self, change: Change) -> str:
        return address("namespace", change.catalog, change.name)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        catalog = work.catalog(change.catalog)
        assert isinstance(change.body, RenamedNamespace)
        body = change.body
        if isinstance(catalog, RenamesNamespaces):
            inside = [*body.tables, *(each for each in body.namespaces if each != body.former)]
            catalog.rename_namespace(body.former, change.name, inside)
        elif isinstance(catalog, RenamesTables):
            moving = Moving(body.former, body.namespaces, body.tables)
            move(catalog, catalog, moving, change.name, RENAMED_FROM)
        else:
            raise Refused(f"{change.address}: the catalog renames no tables")
        return ""


def _inside(catalog: CatalogPair, name: str) -> Iterator[str]:
    """The addresses of all that the file has in a namespace, and of the namespaces in it."""
    for space, content in catalog.spec.namespaces.items():
        if f"{space}.".startswith(f"{name}."):
            yield address("namespace", catalog.name, space)
            yield from (address("table", catalog.name, f"{space}.{each}") for each in content.tables)
            yield from (address("view", catalog.name, f"{space}.{each}") for each in content.views)


def _line(name: str, moving: Moving) -> str:
    count = len(moving.tables)
    tables = f"{count} table{'' if count == 1 else 's'}"
    return f"namespace {moving.former} -> {name}: with {tables}, which keep{'s' if count == 1 else ''} rows and history"


def _refusal(found: Differences, catalog: CatalogPair, name: str, former: str) -> str:
    """Why the namespace does not get its new name; empty if it does, or if none has the former one."""
    facts, full, old = catalog.facts, f"{catalog.name}.{name}", f"{catalog.name}.{former}"
    if name in facts.moving:
        parent = name.rpartition(".")[0]
        others = sorted(each for each in renames.everything(facts) if each.startswith(f"{former}."))
        if not facts.limits.renames:
            return f"{facts.limits.kind} renames no tables. Rename those of {old} with an engine"
        if others:
            return f"{catalog.name}.{others[0]} is no table and cannot move with {old}. Drop it first"
        if parent and parent not in facts.namespaces:
            return f"the namespace {catalog.name}.{parent} does not exist yet. Apply it first, without `renamed_from`"
        granted = claims.granted(found.lakehouse)
        later = {old: new for new, old in facts.renamed.items()}  # tables that are then renamed themselves
        moved = (renames.moved(table, former, name) for table in facts.moving[name].tables)
        grants = (ungranted(catalog, new, facts.tables[new], granted) for new in moved if new not in later)
        return closed(found, catalog.name) or next(filter(None, grants), "")
    if former not in facts.namespaces:
        return ""
    if renames.is_pending(name, former, facts):
        [table, *_] = renames.taken(renames.contents(former, facts), name, facts)
        rule = f"the table {catalog.name}.{table} and the one of {old} with the same name both exist"
        return f"{rule}. Drop or rename the one that is not needed"
    rule = f"{old} and {full} both exist, and neither is touched"
    return f"{rule}. Remove `renamed_from` if they are two namespaces; to join them, rename the tables one by one"
