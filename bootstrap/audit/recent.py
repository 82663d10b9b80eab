"""The newest events of all layers, by time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from bootstrap.audit.event import AccessEvent, Reader
from lakehouse.errors import LakehouseError, UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Recent:
    """The events, the oldest first, and why layers could not be read, by their names."""

    events: tuple[AccessEvent, ...]
    unread: Mapping[str, str]


def recent(readers: Iterable[Reader], since: datetime | None, who: str | None, limit: int) -> Recent:
    """Up to ``limit`` events since then, of everybody or of one name. A layer that cannot be read stops no other."""
    events: list[AccessEvent] = []
    unread: dict[str, str] = {}
    for reader in readers:
        try:
            newest = takewhile(lambda each: since is None or each.time >= since, reader.read(since))
            found = list(islice((each for each in newest if who in (None, each.who)), limit))
            events += reversed(found)  # those of the same second stay in their order
        except LakehouseError as error:
            unread[reader.layer] = str(error)
    events.sort(key=lambda each: each.time)
    return Recent(tuple(events[len(events) - min(limit, len(events)) :]), unread)


def moment(text: str, now: datetime) -> datetime:
    """The time that ``--since`` names: so long before ``now``, or a date with or without a time of day.

    Without a zone it is this machine's. Raises UsageError.
    """
    try:
        if ago := re.fullmatch(r"(\d+)([smhd])", text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f'--since "{text}" is not a time. Write how long ago (30m, 1h, 2d) or when (2026-11-26T10:00).'
        ) from None
