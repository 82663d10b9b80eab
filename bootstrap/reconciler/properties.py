"""Properties of a table or namespace: which are set, and which are unset because only an earlier file had them. Pure.

The bootstrap records on an object which properties it has set, and their values. A property that the file no longer
names is unset if it still has that value. Properties that others set or changed are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from bootstrap.iceberg.evolve import Detail
from bootstrap.reconciler.marks import OURS, PROPERTIES, SEED, SEED_FILES

#: Properties that engines, catalogs and loads set by themselves. Not even an exclusive catalog removes them.
_ENGINES = (
    "ingest.",  # what `lakehouse ingest` has loaded
    *("created-at", "owner", "gc.enabled", "history.", "schema.name-mapping", "trino"),
    "write.parquet.compression-codec",
)


class PropertyChange(NamedTuple):
    """What to send, and its description for people, which leaves out the bootstrap's own record."""

    updates: dict[str, str]
    removals: list[str]
    details: tuple[Detail, ...]


def created(wanted: Mapping[str, str]) -> dict[str, str]:
    """The properties of a new object, and their record."""
    own = {key: value for key, value in wanted.items() if not key.startswith(OURS)}
    return {**wanted, **({PROPERTIES: _text(own)} if own else {})}


def changed(wanted: Mapping[str, str], there: Mapping[str, str], removable: Callable[[str], bool]) -> PropertyChange:
    """The change from ``there`` to ``wanted``; ``removable`` says whether an unwanted property goes in any case."""
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
        # A property that already had the wanted value was set by others, unless the record says otherwise.
        own = {
            key: value
            for key, value in wanted.items()
            if not key.startswith(OURS) and (key in updates or record.get(key) == value)
        }
        if own and own != record:
            updates[PROPERTIES] = _text(own)
        elif not own and PROPERTIES in there:
            removals.append(PROPERTIES)
    return PropertyChange(updates, removals, tuple(details))


def dropped(wanted: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    """Properties that the bootstrap set, that still have that value, and that the file no longer names."""
    if PROPERTIES in there:
        for key, value in recorded(there).items():
            if key not in wanted and there.get(key) == value:
                yield key


def recorded(there: Mapping[str, str]) -> dict[str, str]:
    """The properties that the bootstrap has set, and their values."""
    try:
        record = json.loads(there.get(PROPERTIES, "{}"))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def removable(key: str, exclusive: bool) -> bool:
    """Whether to remove a property that the file does not name: our own marks, and in exclusive catalogs others too."""
    if key in (SEED, SEED_FILES, PROPERTIES):
        return False  # they record what was done, which stays true whatever the file says later
    return key.startswith(OURS) or (exclusive and not key.startswith(_ENGINES))


def unnamed(name: str, wanted: Mapping[str, str], there: Mapping[str, str], going: Collection[str]) -> list[str]:
    """Addresses of the properties that somebody set outside the file, without those that are removed (``going``).

    Those that engines and catalogs set by themselves do not count.
    """
    return [
        f"property {name}.{key}"
        for key in there
        if key not in wanted and not key.startswith((OURS, *_ENGINES)) and key not in going
    ]


def _text(own: Mapping[str, str]) -> str:
    return json.dumps(dict(own), sort_keys=True, ensure_ascii=False)
