"""Namespaces and their properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.reconciler import properties, tables
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.wanted import WantedCatalog, WantedNamespace
from bootstrap.reconciler.work import ApplyWork

NAMESPACE = "namespace"
#: Namespace properties that catalogs set by themselves.
_CATALOGS_OWN = frozenset({"location", "owner"})


@dataclass(frozen=True)
class NewNamespace(Body):
    """A namespace with its properties."""

    properties: Mapping[str, str]


@dataclass(frozen=True)
class ChangedProperties(Body):
    """Properties to set and to remove."""

    updates: Mapping[str, str]
    removals: tuple[str, ...] = ()


class Namespaces(ObjectKind):
    words = (NAMESPACE,)
    bodies = {"create": NewNamespace, "update": ChangedProperties}

    def compare(self, found: Differences) -> None:
        for catalog, want, facts in found.catalogs:
            for namespace in want.namespaces.values():
                _compare(found, catalog, namespace, facts.namespaces.get(namespace.name), want.exclusive)

    def compare_unnamed(self, found: Differences) -> None:
        for catalog, want, facts in found.catalogs:
            for name in sorted(facts.namespaces, key=lambda name: -name.count(".")):
                if name not in want.namespaces:
                    _unnamed(found, catalog, name, want, facts)

    def level(self, change: Change, changes: Changes) -> int:
        return change.name.count(".")

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":
            inside = f"{change.name}."
            yield from (
                each.address for each in changes.inside(change.catalog, destroyed=True) if each.name.startswith(inside)
            )
        else:
            yield address("catalog", "", change.catalog)
            yield address(NAMESPACE, change.catalog, change.name.rpartition(".")[0])

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        catalog = work.catalog(change.catalog)
        match change.body:
            case NewNamespace(content):
                catalog.create_namespace(change.name, content)
            case ChangedProperties(updates, removals):
                catalog.update_namespace(change.name, updates, removals)
            case _:
                catalog.drop_namespace(change.name)
        return ""


def _compare(
    found: Differences, catalog: str, want: WantedNamespace, have: Mapping[str, str] | None, exclusive: bool
) -> None:
    if have is None:
        details = tuple(Detail("+", f"property {key} = {value}") for key, value in want.properties.items())
        body = NewNamespace(properties.created(want.properties))
        found.changes.append(Change("create", NAMESPACE, catalog, want.name, details, body))
        return
    if want.implied:
        return  # the file does not name it, so it says nothing about its properties
    there = {key: value for key, value in have.items() if key in want.properties or key not in _CATALOGS_OWN}
    change = properties.changed(want.properties, there, lambda key: tables.removable(key, exclusive))
    if change.updates or change.removals:
        changed = ChangedProperties(change.updates, tuple(change.removals))
        found.changes.append(Change("update", NAMESPACE, catalog, want.name, change.details, changed))
    found.unnamed += tables.unnamed_properties(f"{catalog}.{want.name}", want.properties, there, change.removals)


def _unnamed(found: Differences, catalog: str, name: str, want: WantedCatalog, facts: CatalogFacts) -> None:
    change = Change("destroy", NAMESPACE, catalog, name)
    if any(inner not in found.going for inner in _inside(catalog, name, facts)):
        found.unnamed.append(change.address)
    else:
        marked = tables.is_deletable(facts.namespaces[name])
        found.destroy(change, marked=marked, ours=want.exclusive, opened=want.opens(name))


def _inside(catalog: str, name: str, facts: CatalogFacts) -> Iterator[str]:
    """Addresses of all objects in the namespace."""
    prefix = f"{name}."
    for word, names in (("table", facts.tables), ("table", facts.others), (NAMESPACE, facts.namespaces)):
        yield from (address(word, catalog, each) for each in names if each.startswith(prefix))
