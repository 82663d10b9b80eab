"""The values that a diff consists of. Everything in them is JSON, so that a plan can be kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bootstrap.iceberg.evolve import Detail

Op = Literal["create", "update", "destroy"]
Kind = Literal["bucket", "namespace", "table", "seed", "branch", "tag"]
SYMBOLS: Mapping[str, str] = {"create": "+", "update": "~", "destroy": "-"}


@dataclass(frozen=True)
class Change:
    """One object's change. ``body`` is what is sent: for tables an Iceberg REST commit, for others the new settings.

    A seed is the rows that a table begins with.
    """

    op: Op
    kind: Kind
    catalog: str  # empty for buckets
    name: str
    details: tuple[Detail, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """``bucket staging``, ``table lake.bronze.minute_aggs``: unique in a plan."""
        return f"{self.kind} {self.catalog + '.' if self.catalog else ''}{self.name}"


@dataclass(frozen=True)
class Note:
    """Why nothing is done about an object, and the mend; ``where`` is in the file."""

    address: str
    message: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where + ': ' if self.where else ''}{self.address}: {self.message}"


@dataclass(frozen=True)
class Diff:
    """What has to change (``changes``), what cannot (``refused``), and what was left as it is (``kept``).

    ``unnamed`` are the addresses of what is there that the file does not name. ``lost`` says of a table or column that
    the changes make anew, and that was there once, what became of it and what brings it back.
    """

    changes: tuple[Change, ...] = ()
    refused: tuple[Note, ...] = ()
    kept: tuple[Note, ...] = ()
    unnamed: tuple[str, ...] = ()
    lost: tuple[Note, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.refused)
