"""Which files the branches and tags of a catalog need, and which only expired snapshots need. Pure.

Engines look at one branch. Here a table is a set of heads: its metadata file on each branch and tag that has it. What
the metadata file of a head names is needed: all its snapshots with their manifests and files, its statistics, and the
metadata files in its log. https://iceberg.apache.org/spec/#table-metadata-fields
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class TableHead:
    """A table on one branch or tag; ``where`` is its name there, as text."""

    where: str
    location: str  # of its metadata file
    metadata: Mapping[str, Any]


class FileNames(Protocol):
    """What files in the store name. ``lenient``: a file that is gone names nothing; otherwise it is an error."""

    def manifests(self, lists: Collection[str], *, lenient: bool = False) -> set[str]:
        """The manifests in these lists."""
        ...

    def files(self, manifests: Collection[str], *, removed: bool = False, lenient: bool = False) -> set[str]:
        """The data and delete files in these manifests; ``removed``: also those whose removal they record."""
        ...


def needed(heads: Iterable[TableHead], names: FileNames) -> set[str]:
    """All files that the heads need."""
    known = list(heads)
    found = {each.location for each in known}
    for each in known:
        found.update(entry["metadata-file"] for entry in each.metadata.get("metadata-log") or ())
        found.update(_statistics(each.metadata))
    manifests = _manifests(_snapshots(known), names)
    return found | _lists(_snapshots(known)) | manifests | names.files(manifests)


def freed(
    former: Mapping[str, Any], expired: Collection[int], heads: Iterable[TableHead], names: FileNames
) -> set[str]:
    """The files that the expired snapshots of the ``former`` metadata name, and that no head needs.

    ``heads`` are those after the expiry. Their manifests are only read if a whole manifest expires.
    """
    known = list(heads)
    live, old = list(_snapshots(known)), [each for each in former["snapshots"] if each["snapshot-id"] in expired]
    lists = _lists(old) - _lists(live)
    kept = _manifests(live, names)
    embedded = {at for each in old for at in each.get("manifests") or ()}
    manifests = (names.manifests(lists, lenient=True) | embedded) - kept
    data = names.files(manifests, removed=True, lenient=True)
    data -= names.files(kept) if data else set()
    statistics = set(_statistics(former, expired)).difference(*(_statistics(each.metadata) for each in known))
    return lists | manifests | data | statistics


def _snapshots(heads: Iterable[TableHead]) -> Iterator[Mapping[str, Any]]:
    return (snapshot for head in heads for snapshot in head.metadata.get("snapshots") or ())


def _lists(snapshots: Iterable[Mapping[str, Any]]) -> set[str]:
    return {each["manifest-list"] for each in snapshots if each.get("manifest-list") is not None}


def _manifests(snapshots: Iterable[Mapping[str, Any]], names: FileNames) -> set[str]:
    """Tables of format 1 may name manifests without a list."""
    known = list(snapshots)
    return names.manifests(_lists(known)) | {at for each in known for at in each.get("manifests") or ()}


def _statistics(metadata: Mapping[str, Any], of: Collection[int] | None = None) -> Iterator[str]:
    for key in ("statistics", "partition-statistics"):
        for each in metadata.get(key) or ():
            if of is None or each["snapshot-id"] in of:
                yield each["statistics-path"]
