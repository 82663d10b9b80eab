"""Namespaces and their properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.reconciler import properties, renames
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import CatalogPair, Differences
from bootstrap.reconciler.entries import Entries, said
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.marks import DELETABLE, OURS, is_deletable
from bootstrap.reconciler.objects.catalog import closed
from bootstrap.reconciler.renames import CATALOGS_OWN
from bootstrap.reconciler.work import ApplyWork
from lakehouse.spec.model import Catalog

NAMESPACE = "namespace"


@dataclass(frozen=True)
class WantedNamespace:
    """A namespace as the file describes it. ``implied``: only a nested one names it, so it has no properties."""

    name: str
    properties: Mapping[str, str]
    implied: bool = False


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
        for catalog in found.catalogs:
            for namespace in _wanted(catalog.spec).values():
                _compare(found, catalog, namespace)

    def compare_unnamed(self, found: Differences) -> None:
        for catalog in found.catalogs:
            named = {*_wanted(catalog.spec), *renames.untouchable(catalog.spec, catalog.facts)}
            staying = _not_renamed(found, catalog)
            for name in sorted(catalog.facts.namespaces, key=lambda name: -name.count(".")):
                if name not in named:
                    _unnamed(found, catalog, name, staying)

    def there(self, found: Differences) -> Iterable[str]:
        for catalog in found.catalogs:
            names = renames.unmoved(catalog.facts.namespaces, catalog.facts)
            yield from (address(NAMESPACE, catalog.name, each) for each in names)

    def describe(self, found: Entries) -> None:
        for catalog in found.catalogs:
            if found.everything:
                found.data["catalogs"][catalog.name].pop("namespaces", None)
                found.data["catalogs"][catalog.name]["namespaces"] = {}
            renaming = renames.untouchable(catalog.spec, catalog.facts)
            for name, there in sorted(catalog.facts.namespaces.items()):
                known = catalog.spec.namespaces.get(name)
                if found.everything or (known is None and name not in renaming):
                    at = ("catalogs", catalog.name, "namespaces", name)
                    found.add(*at, entry={**_described(there), **said(known, "maintenance")})

    def level(self, change: Change, changes: Changes) -> int:
        return change.name.count(".")

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":
            inside = f"{change.name}."
            yield from (
                each.address for each in changes.inside(change.catalog, destroyed=True) if each.name.startswith(inside)
            )
            yield from (
                each.address
                for word in ("rename", "rename-namespace")  # what leaves it
                for each in changes.of(word, "update")
                if each.catalog == change.catalog and getattr(each.body, "former", "").startswith(inside)
            )
        else:
            yield address("catalog", "", change.catalog)
            yield from renamed_around(change)
            yield from (each.address for each in changes.of("bucket", "create"))  # it may be the catalog itself
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


def renamed_around(change: Change) -> Iterator[str]:
    """The addresses of renames of the namespaces that the object is in, or is."""
    levels = change.name.split(".")
    for depth in range(1, len(levels) + 1):
        yield address("rename-namespace", change.catalog, ".".join(levels[:depth]))


def existence(word: str, catalog: str, name: str) -> Iterator[str]:
    """The addresses of all changes after which an object of a catalog exists under this name."""
    yield address("catalog", "", catalog)
    if not name:
        return
    levels = name.split(".")
    for depth in range(1, len(levels) + (word == NAMESPACE)):
        around = ".".join(levels[:depth])
        yield from (address(each, catalog, around) for each in (NAMESPACE, "rename-namespace"))
    if word != NAMESPACE:
        yield address(word, catalog, name)
        yield address("rename", catalog, name)


def opens(catalog: CatalogPair, name: str) -> bool:
    """Whether the parent of the table or namespace is the second key: a deletable one in an exclusive catalog.

    The parent is the key only for what is directly in it.
    """
    enclosing = catalog.spec.namespaces.get(name.rpartition(".")[0])
    return catalog.exclusive and enclosing is not None and enclosing.deletable


def _wanted(spec: Catalog) -> dict[str, WantedNamespace]:
    """By their dotted names (``a.b``), parents before children."""
    found: dict[str, WantedNamespace] = {}
    for name, namespace in spec.namespaces.items():
        parts = name.split(".")
        for parent in (".".join(parts[:depth]) for depth in range(1, len(parts))):
            found.setdefault(parent, WantedNamespace(parent, {}, implied=True))
        found[name] = WantedNamespace(
            name, {**namespace.properties, **({DELETABLE: "true"} if namespace.deletable else {})}
        )
    return dict(sorted(found.items(), key=lambda item: item[0].count(".")))


def _described(there: Mapping[str, str]) -> dict[str, Any]:
    own = {key: value for key, value in there.items() if key not in CATALOGS_OWN and not key.startswith(OURS)}
    return {**({"properties": own} if own else {}), **({"deletable": True} if is_deletable(there) else {})}


def _compare(found: Differences, catalog: CatalogPair, want: WantedNamespace) -> None:
    if address(NAMESPACE, catalog.name, want.name) in found.barred:
        return  # it does not get its new name
    have = catalog.facts.namespaces.get(want.name)
    if have is None and (why := closed(found, catalog.name)):
        at = ("catalogs", catalog.name, "namespaces", want.name)
        found.refuse(address(NAMESPACE, catalog.name, want.name), why, at)
        return
    if have is None:
        details = tuple(Detail("+", f"property {key} = {value}") for key, value in want.properties.items())
        body = NewNamespace(properties.created(want.properties))
        found.changes.append(Change("create", NAMESPACE, catalog.name, want.name, details, body))
        return
    if want.implied:
        return  # the file does not name it, so it says nothing about its properties
    there = {key: value for key, value in have.items() if key in want.properties or key not in CATALOGS_OWN}
    change = properties.changed(want.properties, there, lambda key: properties.removable(key, catalog.exclusive))
    if change.updates or change.removals:
        changed = ChangedProperties(change.updates, tuple(change.removals))
        found.changes.append(Change("update", NAMESPACE, catalog.name, want.name, change.details, changed))
    found.unnamed += properties.unnamed(f"{catalog.name}.{want.name}", want.properties, there, change.removals)


def _not_renamed(found: Differences, catalog: CatalogPair) -> list[str]:
    """The former names of tables and namespaces whose rename is refused, and which so stay where they are."""
    facts = catalog.facts
    tables = [old for new, old in facts.renamed.items() if address("table", catalog.name, new) in found.barred]
    spaces = [of.former for new, of in facts.moving.items() if address(NAMESPACE, catalog.name, new) in found.barred]
    return tables + spaces


def _unnamed(found: Differences, catalog: CatalogPair, name: str, staying: Iterable[str]) -> None:
    change = Change("destroy", NAMESPACE, catalog.name, name)
    holds = any(each.startswith(f"{name}.") for each in staying)
    if holds or any(inner not in found.going for inner in _inside(catalog.name, name, catalog.facts)):
        found.unnamed.append(change.address)
    else:
        marked = is_deletable(catalog.facts.namespaces[name])
        found.destroy(change, marked=marked, ours=catalog.exclusive, opened=opens(catalog, name))


def _inside(catalog: str, name: str, facts: CatalogFacts) -> Iterator[str]:
    """Addresses of all objects in the namespace."""
    prefix = f"{name}."
    tables, views = (*facts.tables, *facts.others), (*facts.views, *facts.other_views)
    for word, names in (("table", tables), ("view", views), (NAMESPACE, facts.namespaces)):
        yield from (address(word, catalog, each) for each in names if each.startswith(prefix))
