"""Collects what the kinds of object find while they compare a file with what exists; makes the diff. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler import renames
from bootstrap.reconciler.changes import Change, Diff, Note
from lakehouse.spec.model import Catalog, Lakehouse

#: ``("catalogs", "lake", ...)`` -> ``lakehouse.yaml:12``, or an empty string if the line is not known.
Where = Callable[[tuple[str, ...]], str]


def nowhere(at: tuple[str, ...]) -> str:
    """For files whose lines are not known."""
    return ""


@dataclass(frozen=True)
class CatalogPair:
    """A catalog that was read: what the file says about it, and what exists."""

    name: str
    spec: Catalog
    facts: CatalogFacts

    @property
    def exclusive(self) -> bool:
        """Whether what the file does not name counts as drift."""
        return self.spec.managed == "exclusive"


class Differences:
    """Collects changes and notes, object by object. ``facts`` are as they will be after the renames."""

    def __init__(self, lakehouse: Lakehouse, facts: Facts, allow_destroy: bool, where: Where) -> None:
        self.lakehouse, self.allow_destroy, self.where = lakehouse, allow_destroy, where
        self.facts = renames.after(lakehouse, facts)
        self.changes: list[Change] = []
        self.refused: list[Note] = []
        self.kept: list[Note] = []
        self.unnamed: list[str] = []
        self.lost: list[Note] = []
        self.barred: set[str] = set()  # addresses of objects that have a refused part: they are not changed
        self.going: set[str] = set()  # addresses of objects that are destroyed

    @cached_property
    def catalogs(self) -> list[CatalogPair]:
        """Each catalog that was read."""
        return [
            CatalogPair(name, spec, self.facts.catalogs[name])
            for name, spec in self.lakehouse.catalogs.items()
            if name in self.facts.catalogs
        ]

    def refuse(self, address: str, message: str, at: tuple[str, ...], about: str = "") -> None:
        """The file asks for something impossible; ``about``: the object, if ``address`` is a part of it."""
        note = Note(address, message, self.where(at), about)
        self.refused.append(note)
        self.barred.add(note.object)

    def keep(self, address: str, message: str, at: tuple[str, ...], about: str = "") -> None:
        """The object stays as it is, and the reader should know why."""
        self.kept.append(Note(address, message, self.where(at), about))

    def destroy(self, change: Change, *, marked: bool, ours: bool = False, opened: bool = False) -> bool:
        """Plan to destroy an object that the file does not name, if both keys are given; else say what is missing.

        The second key is ``marked``, on the object itself, or ``opened``, on its parent. ``ours``: the file names
        everything that should exist, so an object that stays gets a note even if it has no key. Returns whether the
        object is destroyed.
        """
        if (marked or opened) and self.allow_destroy:
            self.changes.append(change)
            self.going.add(change.address)
            return True
        self.stay(change.address, marked=marked, ours=ours, opened=opened)
        return False

    def stay(self, address: str, *, marked: bool, ours: bool = False, opened: bool = False) -> None:
        """An object that the file does not name stays; a note says which key is missing if it is ``ours`` or marked."""
        self.unnamed.append(address)
        if ours or marked:
            second = "" if marked or opened else " and `deletable: true` on it, applied before its entry is removed"
            message = f"the file does not name it, and it stays: dropping it takes --allow-destroy{second}"
            self.kept.append(Note(address, message))

    def diff(self, there: Iterable[str] = ()) -> Diff:
        """All that was collected, as a value; ``there`` are the addresses of existing objects."""
        refused, kept, lost = tuple(self.refused), tuple(self.kept), tuple(self.lost)
        barred = frozenset(self.barred)
        return Diff(tuple(self.changes), refused, kept, tuple(self.unnamed), lost, barred, barred.difference(there))
