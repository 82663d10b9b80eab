"""Who else keeps files in a table's folder: checked before anything deletes files that seem to belong to nobody.

A table may be renamed, relocated, registered under two names, or hold files that were added from elsewhere. So apart
from the folders of all live tables, the folders of all files that their metadata refers to count: data, delete files,
manifests, statistics, former metadata. Manifests never change, so each is read once and its folders are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bootstrap import catalogs
from bootstrap.catalogs.base import HasReferences
from bootstrap.catalogs.cache import FactsCache
from bootstrap.catalogs.manifest_files import ManifestFiles
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.reconciler.tables.homes import everyone
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing
from lakehouse.spec.claims import Claim, Register, overlaps


@dataclass(frozen=True)
class Neighbours:
    """All live tables: their claims, and their names by UUID."""

    known: Register = field(default_factory=lambda: Register(()))
    names: Mapping[str, Collection[str]] = field(default_factory=dict)

    def sharer(self, catalog: str, table: str, metadata: Mapping[str, Any], heads: Collection[str] = ()) -> str:
        """Who else keeps files in the table's folder, as text; empty if nobody does.

        ``heads`` is what the same table is called on other branches and tags.
        """
        facts, same = TableFacts("", compact(metadata)), {f"{catalog}.{name}" for name in heads}
        return claims.shared(catalog, table, facts, self.known, same)

    def twin(self, catalog: str, table: str, metadata: Mapping[str, Any]) -> str:
        """Another name of the same table, if somebody registered it twice."""
        others = set(self.names.get(str(metadata.get("table-uuid")), ())) - {f"{catalog}.{table}"}
        return min(others, default="")


def look(names: Collection[str], connections: Connections, *, files: bool) -> Neighbours:
    """Reads all tables of the catalogs; ``files``: also what their metadata refers to."""
    read = {name: catalogs.connect(name, connections).facts(None, lambda count, of: None) for name in names}
    whole = everyone(World.of(connections), read)
    known = list(claims.live(whole))
    uuids: dict[str, list[str]] = {}
    for catalog, facts in whole.items():
        for table, each in facts.tables.items():
            uuids.setdefault(each.uuid, []).append(f"{catalog}.{table}")
        if files:
            known += _referred(catalog, facts, connections)
    return Neighbours(Register(known), uuids)


def _referred(catalog: str, facts: CatalogFacts, connections: Connections) -> Iterator[Claim]:
    """The folders of files that tables refer to outside their own; of those on other branches and tags, all folders."""
    found = _Files(connections, catalog)
    live = catalogs.connect(catalog, connections)
    elsewhere = live.tables_elsewhere() if isinstance(live, HasReferences) else {}
    read = {name: table.metadata_location for name, table in facts.tables.items()}
    unread = {at: name for name, at in elsewhere.items() if at not in read.values()}
    named = {**read, **{name: at for at, name in unread.items()}}
    with ThreadPoolExecutor(connections.parallel) as pool:
        folders = pool.map(found.folders, named.values())
        for name, there in zip(named, folders, strict=True):
            table = facts.tables.get(name)
            own = [] if table is None else list(claims.of_table(f"{catalog}.{name}", catalog, table))
            for folder in sorted(there):
                claim = Claim(folder, f"{catalog}.{name}", catalog, what="files")
                if not any(overlaps(each.parts, claim.parts) and len(each.parts) <= len(claim.parts) for each in own):
                    yield claim
    found.keep()


class _Files:
    """The folders of the files that metadata names. What was read from manifests is kept between runs."""

    def __init__(self, connections: Connections, catalog: str) -> None:
        self._files = MetadataFiles(connections)
        self._manifests = ManifestFiles(self._files)
        connection = connections.catalogs[catalog]
        self._cache = FactsCache(connections.cache, f"manifests {connection.uri} {connection.warehouse}")
        self._kept = {at: json.loads(text) for at, text in self._cache.load().items()}
        self._new: dict[str, dict[str, Any]] = {}
        self._seen: set[str] = set()

    def folders(self, metadata_location: str) -> set[str]:
        """The folders of one table. A table that is dropped in the meantime refers to nothing any more."""
        try:
            metadata = self._files.read(metadata_location)
            return set(self._named(metadata))
        except Missing:
            return set()

    def _named(self, metadata: Mapping[str, Any]) -> Iterator[str]:
        yield from (_folder(each["metadata-file"]) for each in metadata.get("metadata-log") or ())
        for key in ("statistics", "partition-statistics"):
            yield from (_folder(each["statistics-path"]) for each in metadata.get(key) or ())
        for snapshot in metadata.get("snapshots") or ():
            if (at := snapshot.get("manifest-list")) is None:
                yield from map(_folder, snapshot.get("manifests") or ())
                continue
            yield _folder(at)
            for manifest in self._known(at, self._manifests.manifests):
                yield _folder(manifest)
                yield from self._known(manifest, self._entries)

    def _known(self, at: str, read: Callable[[str], list[str]]) -> list[str]:
        """What a manifest or a list of them names, read at most once. A missing file names nothing."""
        self._seen.add(at)
        found = self._kept.get(at) or self._new.get(at)
        if found is None:
            try:
                self._new[at] = found = {"names": read(at)}
            except Missing:
                return []
        names: list[str] = found["names"]
        return names

    def _entries(self, at: str) -> list[str]:
        return sorted({_folder(entry.path) for entry in self._manifests.entries(at)})

    def keep(self) -> None:
        self._cache.store(self._new, self._kept.keys() - self._seen)


def _folder(address: str) -> str:
    return address.rpartition("/")[0]
