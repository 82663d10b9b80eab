"""What somebody did, as a layer recorded it, and what reads such records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Redact = Callable[[str], str]  # blacks out the secrets of the state folder
OK, DENIED = "ok", "denied"
_LONGEST = 120  # characters of what was done


@dataclass(frozen=True)
class AccessEvent:
    """``who`` is empty if the layer does not know; ``time`` has its zone.

    ``result`` is OK, DENIED, a word for what goes on, or ``failed: REASON``.
    """

    time: datetime
    layer: str
    who: str
    what: str
    on: str
    result: str


class Reader(Protocol):
    """The record of a layer."""

    @property
    def layer(self) -> str:
        """Its name, as in :class:`AccessEvent`."""

    @property
    def note(self) -> str:
        """How far back the record goes, and what its names are worth."""

    def read(self, since: datetime | None) -> Iterator[AccessEvent]:
        """The events, the newest first; those before ``since`` may be left out. Raises LakehouseError.

        They are read as they are asked for, because a record may be long.
        """


def shortened(text: str) -> str:
    """The text on one line, up to the characters that are shown."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
