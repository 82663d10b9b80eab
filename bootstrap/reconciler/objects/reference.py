"""Branches and tags of a whole catalog: created if they are missing. Where they move later is not managed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bootstrap.catalogs.references import ReferenceKind, references_of
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.objects.catalog import closed
from bootstrap.reconciler.work import ApplyWork
from lakehouse.spec import model
from lakehouse.text.written import written


@dataclass(frozen=True)
class WantedReference:
    """A branch or tag as the file describes it; ``at`` is its path in the file."""

    name: str
    kind: ReferenceKind
    source: str
    deletable: bool
    at: tuple[str, ...]


@dataclass(frozen=True)
class NewReference(Body):
    """A branch or tag to create where ``source`` is."""

    source: str
    deletable: bool


@dataclass(frozen=True)
class MarkedReference(Body):
    """A branch or tag that the file now calls deletable, or no longer does."""

    deletable: bool


@dataclass(frozen=True)
class ReferenceGone(Body):
    """A branch or tag to destroy, if it is still at this hash."""

    hash: str


class References(ObjectKind):
    words = ("branch", "tag")
    bodies = {"create": NewReference, "update": MarkedReference, "destroy": ReferenceGone}

    def compare(self, found: Differences) -> None:
        for catalog in found.catalogs:
            references = list(_wanted(catalog.name, catalog.spec))
            known = {"main", *catalog.facts.references, *(each.name for each in references)}
            for reference in references:
                _compare(found, catalog.name, reference, known, catalog.facts)

    def compare_unnamed(self, found: Differences) -> None:
        for catalog in found.catalogs:
            there = catalog.facts.references
            for name in sorted(there.keys() - catalog.spec.branches.keys() - catalog.spec.tags.keys()):
                have = there[name]
                change = Change("destroy", have.kind, catalog.name, name, (), ReferenceGone(have.points_to))
                found.destroy(change, marked=have.deletable, ours=catalog.exclusive)

    def describe(self, found: Entries) -> None:
        for catalog in found.catalogs:
            for kind, key, named in (("branch", "branches", catalog.spec.branches), ("tag", "tags", catalog.spec.tags)):
                if found.everything:
                    found.data["catalogs"][catalog.name].pop(key, None)
                for name, there in sorted(catalog.facts.references.items()):
                    if there.kind == kind and (found.everything or name not in named):
                        entry: dict[str, Any] = {"from": named[name].source if name in named else "main"}
                        if there.deletable:
                            entry["deletable"] = True
                        found.add("catalogs", catalog.name, key, name, entry=entry)

    def level(self, change: Change, changes: Changes) -> int:
        """The number of planned references that it starts from, directly or through others."""
        before = 0
        while isinstance(change.body, NewReference):
            addresses = [address(word, change.catalog, change.body.source) for word in self.words]
            sources = map(changes.by_address.get, addresses)
            source = next((each for each in sources if each is not None and each.op == "create"), None)
            if source is None:
                break
            change, before = source, before + 1
        return before

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if isinstance(change.body, NewReference):
            yield address("catalog", "", change.catalog)
            inside = changes.inside(change.catalog, destroyed=False)
            yield from (each.address for each in inside if each.kind not in self.words)
            yield from (address(word, change.catalog, change.body.source) for word in self.words)

    def reads(self, change: Change, changes: Changes) -> Iterable[str]:
        """All that the catalog shall hold: it would be missing there for good."""
        if isinstance(change.body, NewReference):
            inside = (
                each for each in sorted(changes.barred) if each.partition(" ")[2].startswith(f"{change.catalog}.")
            )
            yield from (each for each in inside if each.partition(" ")[0] not in self.words)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        references, kind = references_of(work.catalog(change.catalog)), _word(change)
        match change.body:  # the mark is created after its reference, and deleted after it
            case NewReference(source, deletable):
                references.create(change.name, kind, source)
                if deletable:
                    references.mark(change.name, deletable)
            case MarkedReference(deletable):
                references.mark(change.name, deletable)
            case ReferenceGone(at):
                references.delete(change.name, kind, at)
        return ""


def _word(change: Change) -> ReferenceKind:
    return "tag" if change.kind == "tag" else "branch"


def _wanted(catalog: str, spec: model.Catalog) -> Iterator[WantedReference]:
    for name, of in spec.branches.items():
        yield WantedReference(name, "branch", of.source, of.deletable, ("catalogs", catalog, "branches", name))
    for name, of in spec.tags.items():
        yield WantedReference(name, "tag", of.source, of.deletable, ("catalogs", catalog, "tags", name))


def _compare(
    found: Differences, catalog: str, want: WantedReference, known: Collection[str], facts: CatalogFacts
) -> None:
    have = facts.references.get(want.name)
    message = ""
    if not facts.limits.references:
        message = f"{facts.limits.kind} has no branches and tags of a whole catalog. Remove the entry"
    elif have is not None and have.kind != want.kind:
        message = f"a {have.kind} has this name. Choose another name"
    elif have is None and want.source not in known:
        message = f'it starts at "{want.source}", which does not exist. Name another branch or tag'
    elif have is None:
        message = closed(found, catalog)
    if message:
        found.refuse(address(want.kind, catalog, want.name), message, want.at)
    elif have is None:
        details = [Detail("+", f"from {want.source}")]
        details += [Detail("+", "deletable = true")] if want.deletable else []
        body = NewReference(want.source, want.deletable)
        found.changes.append(Change("create", want.kind, catalog, want.name, tuple(details), body))
    elif have.deletable != want.deletable:
        lines = (Detail("~", f"deletable: {written(have.deletable)} -> {written(want.deletable)}"),)
        marked = MarkedReference(want.deletable)
        found.changes.append(Change("update", want.kind, catalog, want.name, lines, marked))
