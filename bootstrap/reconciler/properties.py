"""Properties of a table or namespace: what is set, and what is unset again because the file set it once. Pure.

The bootstrap keeps with an object which properties it has set, and to what. One that the file names no more is unset if
it still has that value; what others set, or changed since, is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from bootstrap.iceberg.evolve import Detail
from bootstrap.reconciler.wanted import PROPERTIES

_OURS = "lakehouse."


class PropertyChange(NamedTuple):
    """What to send, and the same for people; the bootstrap's own record of it is not told."""

    updates: dict[str, str]
    removals: list[str]
    details: tuple[Detail, ...]


def created(wanted: Mapping[str, str]) -> dict[str, str]:
    """The properties of a new object, with the record of them."""
    own = {key: value for key, value in wanted.items() if not key.startswith(_OURS)}
    return {**wanted, **({PROPERTIES: _text(own)} if own else {})}


def changed(wanted: Mapping[str, str], there: Mapping[str, str], removable: Callable[[str], bool]) -> PropertyChange:
    """What brings ``there`` to ``wanted``; ``removable`` says whether a property that is not wanted goes anyway."""
    record = recorded(there)
    updates = {key: value for key, value in wanted.items() if there.get(key) != value}
    removals = [key for key in there if key not in wanted and key != PROPERTIES and removable(key)]
    removals += [key for key in dropped(wanted, there) if key not in removals]
    details = [
        Detail("~", f"property {key}: {there[key]} -> {value}")
        if key in there
        else Detail("+", f"property {key} = {value}")
        for key, value in updates.items()
    ]
    details += [Detail("-", f"property {key}") for key in removals]
    if updates or removals:
        # What was there already with the wanted value was set by others, unless the record says otherwise.
        own = {
            key: value
            for key, value in wanted.items()
            if not key.startswith(_OURS) and (key in updates or record.get(key) == value)
        }
        if own and own != record:
            updates[PROPERTIES] = _text(own)
        elif not own and PROPERTIES in there:
            removals.append(PROPERTIES)
    return PropertyChange(updates, removals, tuple(details))


def dropped(wanted: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    """Properties that the bootstrap has set, that have that value still, and that the file names no more."""
    if PROPERTIES in there:
        for key, value in recorded(there).items():
            if key not in wanted and there.get(key) == value:
                yield key


def recorded(there: Mapping[str, str]) -> dict[str, str]:
    """What the bootstrap has set, and to what."""
    try:
        record = json.loads(there.get(PROPERTIES, "{}"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _text(own: Mapping[str, str]) -> str:
    return json.dumps(dict(own), sort_keys=True, ensure_ascii=False)
