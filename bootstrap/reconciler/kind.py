"""The protocol of a kind of object: all that the reconciler knows of buckets, tables, users and whatever comes.

The engine (facts, diff, plan, apply, reconcile) walks a :class:`Registry` of kinds, and knows none of them by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from bootstrap.catalogs.base import Reading
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, Op
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from lakehouse.spec.model import Lakehouse

#: Puts what was read into the facts.
Put = Callable[[Facts], Facts]


@dataclass(frozen=True)
class Inquiry:
    """A look at what is there. ``everything``: also what the file does not name; ``reading`` is called meanwhile."""

    lakehouse: Lakehouse
    world: World
    everything: bool = False
    reading: Reading | None = None


class ObjectKind(ABC):
    """One kind of object. What is not said here holds of no object of the kind."""

    words: ClassVar[tuple[str, ...]]  # what its objects are called in addresses: ``("branch", "tag")``
    bodies: ClassVar[Mapping[Op, type[Body]]] = {}  # what its changes send; an operation without an entry sends nothing
    #: Whether a planned change that turns into a note about what stays has failed; else it is done, with that remark.
    kept_fails: ClassVar[bool] = False

    def prepare(self, lakehouse: Lakehouse, world: World) -> None:  # noqa: B027 - most kinds need nothing
        """Before an apply looks: take over what an earlier version made."""

    def read(self, look: Inquiry) -> Put:
        """Look what is there; all kinds look at once. Raises the errors of :mod:`bootstrap.remote.errors`."""
        return lambda facts: facts

    def settle(self, look: Inquiry, facts: Facts) -> Facts:
        """A second look, for what depends on the facts of other kinds."""
        return facts

    @abstractmethod
    def compare(self, found: Differences) -> None:
        """Add what keeps the objects that the file names from being what it says. Pure."""

    def compare_unnamed(self, found: Differences) -> None:  # noqa: B027 - as above
        """Add what happens to objects that are there and that the file does not name. Pure.

        Called of the kinds from the last to the first, so that what is inside goes before what holds it.
        """

    def level(self, change: Change, changes: Changes) -> int:
        """The place among changes of this kind: lower ones come first, or last if they are destroyed."""
        return 0

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """Addresses of changes that must be done before this one; those that the plan does not have count for none."""
        return ()

    def part_of(self, change: Change) -> str:
        """The address of the object that this one is a part of; what is refused of that one is refused of this."""
        return ""

    @abstractmethod
    def carry_out(self, change: Change, work: ApplyWork) -> str:
        """One or two requests. Returns what of it could not be done.

        Raises the errors of :mod:`bootstrap.remote.errors`: Conflict if the object is no longer what was planned with.
        """

    def together(self, change: Change, work: ApplyWork) -> bool:
        """Whether the change can be sent with others of its kind and catalog, by :meth:`carry_out_together`."""
        return False

    def carry_out_together(self, changes: Sequence[Change], work: ApplyWork) -> Mapping[str, Exception]:
        """Changes of one catalog in one request. Returns the error of each address that failed."""
        raise NotImplementedError


class Registry:
    """Kinds in the order in which their objects are made; they are destroyed in the opposite one."""

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
        """Raises KeyError for a kind that is not in the registry."""
        return self.kinds[self._ranks[change.kind]]

    def body(self, kind: str, op: Op, data: Mapping[str, Any]) -> Body:
        """Read a body back from JSON. Raises KeyError or TypeError if it is none of that kind."""
        return self.kinds[self._ranks[kind]].bodies.get(op, Body).from_json(data)

    def only(self, *words: str) -> Registry:
        """The kinds whose objects are called so."""
        return Registry(*(kind for kind in self.kinds if set(words) & set(kind.words)))


class Changes:
    """The changes of a diff, as kinds look at each other's."""

    def __init__(self, changes: Collection[Change]) -> None:
        self._all = changes

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
        """Those of one word and one operation."""
        return self._by_word.get((kind, op), ())

    def inside(self, catalog: str, *, destroyed: bool) -> Iterator[Change]:
        """Those in a catalog: what is destroyed there, or what is not."""
        return (each for each in self._all if each.catalog == catalog and (each.op == "destroy") == destroyed)
