"""The values that a diff consists of. Everything in them is JSON, so that a plan can be kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from bootstrap.iceberg.evolve import Detail

Op = Literal["create", "update", "destroy"]
SYMBOLS: Mapping[str, str] = {"create": "+", "update": "~", "destroy": "-"}


@dataclass(frozen=True)
class Body:
    """What is sent for a change. Each kind of object has its own, whose fields hold what JSON can hold."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The body that :func:`dataclasses.asdict` and JSON made these of. Raises TypeError for other fields."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


@dataclass(frozen=True)
class Change:
    """One object's change. ``kind`` is a word of the registry of objects, to which ``body`` belongs."""

    op: Op
    kind: str
    catalog: str  # empty for what is in no catalog
    name: str
    details: tuple[Detail, ...] = ()
    body: Body = Body()

    @property
    def address(self) -> str:
        """``bucket staging``, ``table lake.bronze.minute_aggs``: unique in a plan."""
        return address(self.kind, self.catalog, self.name)


def address(kind: str, catalog: str, name: str) -> str:
    """How an object is called in a plan."""
    return f"{kind} {catalog}.{name}" if catalog else f"{kind} {name}"


@dataclass(frozen=True)
class Note:
    """Why nothing is done about an object, and the fix; ``where`` is in the file.

    ``about`` is the object's address if ``address`` is that of a part of it, as a column is one of a table.
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
    """What has to change (``changes``), what cannot (``refused``), and what was left as it is (``kept``).

    ``unnamed`` are the addresses of what is there that the file does not name. ``lost`` says of a table or column that
    the changes make again, and that was there once, what became of it and what brings it back.
    """

    changes: tuple[Change, ...] = ()
    refused: tuple[Note, ...] = ()
    kept: tuple[Note, ...] = ()
    unnamed: tuple[str, ...] = ()
    lost: tuple[Note, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.refused)
