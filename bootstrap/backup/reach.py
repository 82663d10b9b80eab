"""The files that a metadata file needs: in the lakehouse's store, or in a backup."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bootstrap.catalogs.manifest_files import Opens
from bootstrap.catalogs.stored_names import StoredNames
from bootstrap.iceberg import reachable
from bootstrap.iceberg.reachable import TableHead


class ReadsMetadata(Opens, Protocol):
    """The files' contents."""

    def read(self, location: str) -> dict[str, Any]:
        """A metadata file. Raises Missing if there is none, Refused if it cannot be read."""
        ...


@dataclass(frozen=True)
class Reached:
    """Files by their addresses. Those that only the log of metadata files names may be gone: no engine reads them."""

    needed: frozenset[str]
    logged: frozenset[str]


class FileReach:
    """Reads each manifest only once."""

    def __init__(self, files: ReadsMetadata, parallel: int) -> None:
        self._files, self._names = files, StoredNames(files, parallel)

    def of(self, what: str, location: str) -> Reached:
        """What the table or view with this metadata file needs; ``what`` is its name."""
        metadata = self._files.read(location)
        if is_view(metadata):
            return Reached(frozenset({location}), frozenset())
        needed = reachable.needed([TableHead(what, location, metadata)], self._names)
        logged = frozenset(entry["metadata-file"] for entry in metadata.get("metadata-log") or ()) - {location}
        return Reached(frozenset(needed) - logged, logged)


def known(location: str, files: Collection[str]) -> Reached:
    """What a metadata file needs, by the ``files`` of a former backup.

    Former metadata files among them may be gone by now: a commit on another branch may have removed them.
    """
    logged = frozenset(each for each in files if ".metadata.json" in each and each != location)
    return Reached(frozenset(files) - logged, logged)


def is_view(metadata: Mapping[str, Any]) -> bool:
    """Whether it is the metadata of a view."""
    return "view-uuid" in metadata
