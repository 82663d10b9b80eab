"""Metadata files that later ones have replaced: finding them, the time of their replacement, and their removal.

Every commit writes a metadata file that names all snapshots, so hundreds of small commits leave hundreds of megabytes.
Engines remove none on Nessie, whose branches and tags may name any of them. A file that is removed here is known to
have been committed and replaced, because a later file's log names it. So it is never one of a commit in progress.
https://iceberg.apache.org/spec/#table-metadata-fields (metadata-log)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.metrics import TableReader
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing
from bootstrap.remote.s3 import client, typed


class Superseded(NamedTuple):
    """A metadata file, and when (milliseconds since 1970) the next one replaced it."""

    location: str
    until: int


def chain(metadata: Mapping[str, Any], read: Callable[[str], Mapping[str, Any] | None]) -> list[Superseded]:
    """All that the logs name, oldest first. A log names the last hundred or so; the oldest of them has its own log.

    ``read`` gives the content of a metadata file; None: it is gone, and nothing is known about those before it.
    """
    found: list[Superseded] = []
    until = int(metadata["last-updated-ms"])
    log = metadata.get("metadata-log") or []
    while log:
        for entry in reversed(log):
            found.append(Superseded(entry["metadata-file"], until))
            until = int(entry["timestamp-ms"])
        oldest = read(log[0]["metadata-file"])
        log = (oldest.get("metadata-log") or []) if oldest else []
    return found[::-1]


def removable(
    former: Collection[Superseded], *, before: int, keep: Collection[str], least: int, home: str, there: Collection[str]
) -> list[str]:
    """Those replaced ``before``, except the newest ``least``, those to ``keep``, and those in other folders."""
    old = list(former)[: len(former) - least] if least < len(former) else []
    return [
        each.location
        for each in old
        if each.until < before
        and each.location in there
        and each.location not in keep
        and each.location.startswith(f"{home.rstrip('/')}/")
    ]


class SupersededFiles:
    """The former metadata files of one catalog's tables. Raises the errors of :mod:`bootstrap.remote.errors`."""

    def __init__(self, reader: TableReader, connections: Connections) -> None:
        self._reader, self._files = reader, MetadataFiles(connections)
        store = connections.store
        self._store = store.endpoint or f"s3.{store.region}.amazonaws.com"
        self._s3 = client(store, patience=connections.patience, parallel=connections.parallel)

    def old(self, table: str, metadata: Mapping[str, Any], *, before: int, least: int) -> list[str]:
        """The removable files of a table with this current metadata, oldest first."""
        if not metadata.get("metadata-log"):
            return []
        home = str(metadata["location"])
        bucket, _, prefix = home.removeprefix("s3://").partition("/")
        with typed(self._store):
            there = {f"s3://{bucket}/{key}" for key, _ in self._reader.stored(home) if "metadata.json" in key}
        former = chain(metadata, self._read)
        found = removable(former, before=before, keep=(), least=least, home=home, there=there)
        named = self._reader.named if found and prefix else set(found)
        return [each for each in found if each not in named]

    def remove(self, locations: Collection[str]) -> dict[str, int]:
        """Remove files, oldest first: after an interruption, the rest can still be reached from the logs."""
        with typed(self._store):
            for location in locations:
                bucket, _, key = location.removeprefix("s3://").partition("/")
                self._s3.delete_object(Bucket=bucket, Key=key)
        return {"deleted_metadata_files": len(locations)}

    def _read(self, location: str) -> Mapping[str, Any] | None:
        try:
            return self._files.read(location)
        except Missing:
            return None
