"""Tables and namespaces that have the former name of one in the file, and get the new one. Pure.

Every comparison takes the facts as they are after the renames. So a table keeps its rows under its new name, is changed
there, and is never taken for one that the file does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bootstrap.iceberg.metadata import CatalogFacts, Facts, Moving
from bootstrap.reconciler.marks import RENAMED_FROM
from lakehouse.spec.model import Catalog, Lakehouse
from lakehouse.spec.renames import former_names, former_namespaces

#: Properties of a namespace that its catalog sets. They do not move with the tables.
CATALOGS_OWN = frozenset({"location", "owner"})


def after(lakehouse: Lakehouse, facts: Facts) -> Facts:
    """``facts`` with everything that will be renamed under its new name."""
    return replace(facts, catalogs=catalogs_after(lakehouse, facts.catalogs))


def catalogs_after(lakehouse: Lakehouse, catalogs: Mapping[str, CatalogFacts]) -> dict[str, CatalogFacts]:
    """The catalogs with everything that will be renamed under its new name: see ``renamed`` and ``moving`` there."""
    return {
        name: _after(lakehouse.catalogs[name], facts) if name in lakehouse.catalogs else facts
        for name, facts in catalogs.items()
    }


def untouchable(spec: Catalog, facts: CatalogFacts) -> frozenset[str]:
    """Tables and namespaces that no plan destroys: with a former name, as their rename is refused, or moving."""
    tables, spaces = set(former_names(spec).values()), {*former_namespaces(spec).values(), *facts.moving}
    names = (*everything(facts), *facts.namespaces) if tables or spaces else ()
    return frozenset(
        name for name in names if name in tables or any(f"{name}.".startswith(f"{space}.") for space in spaces)
    )


def everything(facts: CatalogFacts) -> set[str]:
    """The names of all tables and views."""
    return {*facts.tables, *facts.others, *facts.views, *facts.other_views}


def exists(name: str, facts: CatalogFacts) -> bool:
    """Whether a table or view has this name."""
    return any(name in each for each in (facts.tables, facts.others, facts.views, facts.other_views))


def unmoved(names: Iterable[str], facts: CatalogFacts) -> Iterator[str]:
    """Those of the names after the renames that exist already."""
    gets = tuple(f"{each}." for each in facts.moving)
    return (each for each in names if each not in facts.renamed and not f"{each}.".startswith(gets))


def moved(name: str, former: str, to: str) -> str:
    """The name of ``name``, which is in ``former``, or is it, after the namespace ``former`` is renamed."""
    return to + name.removeprefix(former)


def taken(moving: Moving, to: str, facts: CatalogFacts) -> list[str]:
    """Names that tables of a namespace would get and that others have already."""
    there = everything(facts)
    return [name for each in moving.tables if (name := moved(each, moving.former, to)) in there]


def is_pending(name: str, former: str, facts: CatalogFacts) -> bool:
    """Whether the namespace has its former name, or is being renamed by an apply that was interrupted."""
    there = facts.namespaces
    return former in there and (name not in there or there[name].get(RENAMED_FROM) == former)


def contents(former: str, facts: CatalogFacts) -> Moving:
    """All that is in a namespace."""
    inside = f"{former}."
    namespaces = {
        name: {key: value for key, value in of.items() if key not in CATALOGS_OWN}
        for name, of in facts.namespaces.items()
        if f"{name}.".startswith(inside)
    }
    return Moving(former, namespaces, {name: of.uuid for name, of in facts.tables.items() if name.startswith(inside)})


def _after(spec: Catalog, facts: CatalogFacts) -> CatalogFacts:
    for name, former in former_namespaces(spec).items():
        if is_pending(name, former, facts):
            moving = contents(former, facts)
            if not taken(moving, name, facts):
                facts = _moved(facts, name, moving)
    there = everything(facts)
    going: dict[str, str] = {}
    for name, former in former_names(spec).items():
        if former in facts.tables and name not in there:
            going[former] = name
    if not going:
        return facts
    tables = {going.get(name, name): table for name, table in facts.tables.items()}
    return replace(facts, tables=tables, renamed={**facts.renamed, **{name: old for old, name in going.items()}})


def _moved(facts: CatalogFacts, to: str, moving: Moving) -> CatalogFacts:
    former = moving.former
    namespaces = {name: of for name, of in facts.namespaces.items() if name not in moving.namespaces}
    for name, of in moving.namespaces.items():
        now = moved(name, former, to)
        both = {**of, **namespaces.get(now, {})}
        namespaces[now] = {key: value for key, value in both.items() if key != RENAMED_FROM}
    tables = {moved(name, former, to) if name in moving.tables else name: of for name, of in facts.tables.items()}
    return replace(facts, namespaces=namespaces, tables=tables, moving={**facts.moving, to: moving})
