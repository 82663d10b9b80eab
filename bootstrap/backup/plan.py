"""Which files a backup copies and which it has already. Pure.

Files of Iceberg never change: a file with the same address, size and ETag as in a former backup is the same one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bootstrap.backup.manifest import StoredFile


class LiveFile(NamedTuple):
    """A file as the lakehouse's store lists it."""

    size: int
    etag: str


@dataclass(frozen=True)
class CopyPlan:
    """Files by their addresses: those that the target has, and those to copy."""

    kept: Mapping[str, StoredFile]
    copied: Collection[str]


def incremental(wanted: Mapping[str, LiveFile], known: Mapping[str, StoredFile], stored: Mapping[str, int]) -> CopyPlan:
    """What to copy of the ``wanted`` files.

    ``known`` are those of the last backup, ``stored`` the sizes of all files in the target by their digests.
    """
    kept = {
        address: known[address]
        for address, live in wanted.items()
        if address in known and _same(known[address], live) and stored.get(known[address].digest) == live.size
    }
    return CopyPlan(kept, [address for address in wanted if address not in kept])


def _same(known: StoredFile, live: LiveFile) -> bool:
    return bool(live.etag) and (known.size, known.etag) == (live.size, live.etag)


def excluded(name: str, names: Collection[str]) -> bool:
    """Whether the object is one of these, or in one of them: a catalog, a namespace or a table."""
    return any(f"{name}.".startswith(f"{each}.") for each in names)
