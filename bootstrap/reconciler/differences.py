"""What is found while a file is compared with what is there: the objects add to it, the diff is made of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler import wanted
from bootstrap.reconciler.changes import Change, Diff, Note
from bootstrap.reconciler.wanted import WantedCatalog
from lakehouse.spec.model import Lakehouse

#: ``("catalogs", "lake", ...)`` -> ``lakehouse.yaml:12``, or nothing if that is not known.
Where = Callable[[tuple[str, ...]], str]


def nowhere(at: tuple[str, ...]) -> str:
    """For files whose lines are not known."""
    return ""


class Differences:
    """Collects changes and notes, object by object."""

    def __init__(self, lakehouse: Lakehouse, facts: Facts, allow_destroy: bool, where: Where) -> None:
        self.lakehouse, self.facts, self.allow_destroy, self.where = lakehouse, facts, allow_destroy, where
        self.changes: list[Change] = []
        self.refused: list[Note] = []
        self.kept: list[Note] = []
        self.unnamed: list[str] = []
        self.lost: list[Note] = []
        self.barred: set[str] = set()  # addresses of objects of which something is refused: they are not touched
        self.going: set[str] = set()  # addresses of objects that are destroyed

    @cached_property
    def catalogs(self) -> list[tuple[str, WantedCatalog, CatalogFacts]]:
        """Each catalog that was read: its name, what the file wants in it, and what is there."""
        return [
            (name, wanted.catalog(name, spec), self.facts.catalogs[name])
            for name, spec in self.lakehouse.catalogs.items()
            if name in self.facts.catalogs
        ]

    def refuse(self, address: str, message: str, at: tuple[str, ...], about: str = "") -> None:
        """The file asks for what cannot be; ``about``: the object, if ``address`` is a part of it."""
        note = Note(address, message, self.where(at), about)
        self.refused.append(note)
        self.barred.add(note.object)

    def keep(self, address: str, message: str, at: tuple[str, ...], about: str = "") -> None:
        """It stays as it is, and the reader should know why."""
        self.kept.append(Note(address, message, self.where(at), about))

    def destroy(self, change: Change, *, marked: bool, ours: bool = False, opened: bool = False) -> bool:
        """Plan the destruction of what the file does not name, if both keys are turned; else say what is missing.

        The second key is ``marked``, on the object itself, or ``opened``, on what encloses it. ``ours``: the file says
        all that is to be there, so that what stays is worth a note even if it has no key.
        """
        if (marked or opened) and self.allow_destroy:
            self.changes.append(change)
            self.going.add(change.address)
            return True
        self.stay(change.address, marked=marked, ours=ours, opened=opened)
        return False

    def stay(self, address: str, *, marked: bool, ours: bool = False, opened: bool = False) -> None:
        """What the file does not name stays; which of the keys is missing is said of what is ours to judge."""
        self.unnamed.append(address)
        if ours or marked:
            second = "" if marked or opened else " and `deletable: true` on it, applied before its entry is removed"
            message = f"the file does not name it, and it stays: dropping it takes --allow-destroy{second}"
            self.kept.append(Note(address, message))

    def diff(self) -> Diff:
        """All of it as a value."""
        refused, kept, lost = tuple(self.refused), tuple(self.kept), tuple(self.lost)
        return Diff(tuple(self.changes), refused, kept, tuple(self.unnamed), lost)
