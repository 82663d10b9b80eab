"""The values of which a diff consists. All of them can be written as JSON, so that a plan can be saved in a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from bootstrap.iceberg.evolve import Detail

Op = Literal["create", "update", "destroy"]
SYMBOLS: Mapping[str, str] = {"create": "+", "update": "~", "destroy": "-"}


@dataclass(frozen=True)
class Body:
    """What is sent for a change. Each kind of object has its own bodies. Their fields hold only JSON values."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The body from which :func:`dataclasses.asdict` and JSON made ``data``. Raises TypeError if fields differ."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})

    def lost(self, details: Sequence[Detail]) -> Iterable[str]:
        """What goes with its data although the object stays, as the ``details`` of the change name it."""
        return ()


@dataclass(frozen=True)
class Change:
    """A change of one object. ``kind`` is a word of the registry of objects; ``body`` is one of that kind."""

    op: Op
    kind: str
    catalog: str  # empty if the object is in no catalog
    name: str
    details: tuple[Detail, ...] = ()
    body: Body = Body()

    @property
    def address(self) -> str:
        """``bucket staging``, ``table lake.bronze.minute_aggs``: unique in a plan."""
        return address(self.kind, self.catalog, self.name)


def address(kind: str, catalog: str, name: str) -> str:
    """The name of an object in a plan."""
    return f"{kind} {catalog}.{name}" if catalog else f"{kind} {name}"


@dataclass(frozen=True)
class Note:
    """Why an object is not changed, and the fix; ``where`` is the line in the file.

    ``about`` is the object's address if ``address`` is a part of the object, such as a column of a table.
    """

    address: str
    message: str
    where: str = ""
    about: str = ""

    @property
    def object(self) -> str:
        """The address of the object that the note is about."""
        return self.about or self.address

    def __str__(self) -> str:
        return f"{self.where + ': ' if self.where else ''}{self.address}: {self.message}"


@dataclass(frozen=True)
class Diff:
    """What must change (``changes``), what cannot change (``refused``), and what stays as it is (``kept``).

    ``unnamed`` are the addresses of existing objects that the file does not name. ``lost`` are notes on tables and
    columns that existed before and that the changes create again: how each was lost and how to restore it.
    ``barred`` are the addresses of objects with a refused part, which are not changed; ``absent`` those of them that do
    not exist.
    """

    changes: tuple[Change, ...] = ()
    refused: tuple[Note, ...] = ()
    kept: tuple[Note, ...] = ()
    unnamed: tuple[str, ...] = ()
    lost: tuple[Note, ...] = ()
    barred: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.changes or self.refused)
