"""The protocol of a kind of object: all that the reconciler needs to know of buckets, tables, users and new kinds.

The engine (facts, diff, plan, apply, reconcile, importing) walks a :class:`Registry` of kinds and names none of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from bootstrap.catalogs.base import Reading
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, Op
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from lakehouse.spec.model import Lakehouse

#: Adds what was read to the facts.
Put = Callable[[Facts], Facts]


@dataclass(frozen=True)
class Inquiry:
    """A request to read what exists. ``everything``: also what the file does not name; ``reading`` gets progress."""

    lakehouse: Lakehouse
    world: World
    everything: bool = False
    reading: Reading | None = None


class ObjectKind(ABC):
    """One kind of object. The defaults here do nothing."""

    words: ClassVar[tuple[str, ...]]  # the words for its objects in addresses: ``("branch", "tag")``
    bodies: ClassVar[Mapping[Op, type[Body]]] = {}  # what its changes send; an operation without an entry sends nothing
    #: If fresh facts give a note instead of a planned change: True means it failed, False that it is done.
    kept_fails: ClassVar[bool] = False

    def prepare(self, lakehouse: Lakehouse, world: World) -> None:  # noqa: B027 - most kinds need nothing
        """What must be done before an apply can read what exists, such as taking over what an earlier version made."""

    def read(self, look: Inquiry) -> Put:
        """Read what exists; all kinds read at the same time. Raises the errors of :mod:`bootstrap.remote.errors`."""
        return lambda facts: facts

    def settle(self, look: Inquiry, facts: Facts) -> Facts:
        """Read again, for what depends on the facts of other kinds."""
        return facts

    @abstractmethod
    def compare(self, found: Differences) -> None:
        """Add the differences of the objects that the file names. Pure."""

    def compare_unnamed(self, found: Differences) -> None:  # noqa: B027 - as above
        """Add what happens to existing objects that the file does not name. Pure.

        Called for the kinds from the last to the first, so that contents go before their containers.
        """

    def there(self, found: Differences) -> Iterable[str]:
        """Addresses of the existing objects of this kind that others may need. Pure."""
        return ()

    def describe(self, found: Entries) -> None:  # noqa: B027 - as above
        """Add the entries that the file would have for existing objects. Pure."""

    def level(self, change: Change, changes: Changes) -> int:
        """The order among changes of this kind: lower levels come first, or last if they are destroyed."""
        return 0

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """Addresses of changes that must be done before this one. Addresses that are not in the plan are ignored.

        If one of them is refused and does not exist, this change is refused too.
        """
        return ()

    def reads(self, change: Change, changes: Changes) -> Iterable[str]:
        """Addresses of objects that must be as the file says: if one is refused, this change is too."""
        return ()

    def without(self, change: Change, lacking: Container[str]) -> Change | None:
        """The part of the change that needs none of the addresses ``lacking``; None: there is none."""
        return None

    def part_of(self, change: Change) -> str:
        """The address of the object that this one is a part of. If that object is refused, this one is too."""
        return ""

    def sent_to(self, change: Change) -> str:
        """The catalog of the file to whose server the change is sent; empty: to the store."""
        return change.catalog

    @abstractmethod
    def carry_out(self, change: Change, work: ApplyWork) -> str:
        """Send one or two requests. Returns what could not be done, as text; empty if all was done.

        Raises the errors of :mod:`bootstrap.remote.errors`: Conflict if the object has changed since the plan.
        """

    def together(self, change: Change, work: ApplyWork) -> bool:
        """Whether :meth:`carry_out_together` can send the change with others of its kind and catalog."""
        return False

    def carry_out_together(self, changes: Sequence[Change], work: ApplyWork) -> Mapping[str, Exception]:
        """Send changes of one catalog in one request. Returns the error of each address that failed."""
        raise NotImplementedError


class Registry:
    """Kinds in the order in which their objects are made. Objects are destroyed in the opposite order."""

    def __init__(self, *kinds: ObjectKind) -> None:
        self.kinds = kinds
        self._ranks = {word: rank for rank, kind in enumerate(kinds) for word in kind.words}

    def __iter__(self) -> Iterator[ObjectKind]:
        return iter(self.kinds)

    def __reversed__(self) -> Iterator[ObjectKind]:
        return reversed(self.kinds)

    def rank(self, change: Change) -> int:
        return self._ranks[change.kind]

    def of(self, change: Change) -> ObjectKind:
        """The kind of a change. Raises KeyError if it is not in the registry."""
        return self.kinds[self._ranks[change.kind]]

    def body(self, kind: str, op: Op, data: Mapping[str, Any]) -> Body:
        """Read a body from JSON. Raises KeyError or TypeError if that kind has no such body."""
        return self.kinds[self._ranks[kind]].bodies.get(op, Body).from_json(data)

    def only(self, *words: str) -> Registry:
        """A registry of the kinds that have these words."""
        return Registry(*(kind for kind in self.kinds if set(words) & set(kind.words)))


class Changes:
    """The changes of a diff, in which a kind looks up changes of other kinds; ``barred`` as in :class:`Diff`."""

    def __init__(self, changes: Collection[Change], barred: frozenset[str] = frozenset()) -> None:
        self._all, self.barred = changes, barred

    @cached_property
    def by_address(self) -> Mapping[str, Change]:
        return {change.address: change for change in self._all}

    @cached_property
    def _by_word(self) -> Mapping[tuple[str, Op], Sequence[Change]]:
        found: dict[tuple[str, Op], list[Change]] = {}
        for change in self._all:
            found.setdefault((change.kind, change.op), []).append(change)
        return found

    def of(self, kind: str, op: Op) -> Sequence[Change]:
        """Changes of one word and one operation."""
        return self._by_word.get((kind, op), ())

    def inside(self, catalog: str, *, destroyed: bool) -> Iterator[Change]:
        """Changes in a catalog: only those that destroy, or only the others."""
        return (each for each in self._all if each.catalog == catalog and (each.op == "destroy") == destroyed)
