"""Expiry and removal of orphans in a catalog with branches and tags (Nessie). Engines look at one branch only.

A head is found by the table's UUID, whatever its name on a branch. The order of the steps makes them safe beside
writers: expiry commits first and looks at the heads then, so a branch that is created meanwhile is seen, or does not
have the expired snapshots; orphans are listed before the heads are looked at, so a commit made meanwhile counts.
Whoever creates a branch at a *former* commit may find that its files are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache, partial
from typing import Any, TypeVar

from bootstrap.catalogs.base import HasReferences
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.metrics import TableReader
from bootstrap.catalogs.stored_names import StoredNames
from bootstrap.iceberg import reachable
from bootstrap.iceberg.reachable import TableHead
from bootstrap.maintenance.plan import MaintenanceStep, expirable
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Conflict, Missing, Refused
from bootstrap.remote.s3 import client, typed
from lakehouse.spec.claims import PATHS, parts

T = TypeVar("T")
_TRIES = 3  # of a commit, if writers are faster
_MAIN = "main"  # a table's own branch, whatever the catalog's is called


class Garbage:
    """Of one catalog's tables. Raises the errors of :mod:`bootstrap.remote.errors`."""

    def __init__(self, reader: TableReader, connections: Connections) -> None:
        self._reader, self._parallel = reader, connections.parallel
        self._files = MetadataFiles(connections)
        self._names = StoredNames(self._files, connections.parallel)
        store = connections.store
        self._uuids: dict[str, str] = {}  # of the metadata files read so far, which never change
        self._store = store.endpoint or f"s3.{store.region}.amazonaws.com"
        self.planned = cache(self.named)  # a plan asks the catalog once for all tables; each step asks again
        self._s3 = client(store, patience=connections.patience, parallel=connections.parallel)

    def expire(self, table: str, step: MaintenanceStep) -> dict[str, int]:
        """Remove old snapshots from the table, and the files that no head needs any more."""
        assert step.older_than is not None
        former, expired = self._committed(table, step.older_than, step.retain_last)
        heads = self.heads(table, former, self.named(step.alone))
        gone = reachable.freed(former, expired, heads, self._names)
        own = [at for at in gone if any(_inside(at, home) for home in _homes(former))]
        self._delete(own)
        return {
            "expired_snapshots": len(expired),
            "deleted_files": len(own),
            "left_outside_its_folder": len(gone) - len(own),
        }

    def orphans(self, table: str, step: MaintenanceStep) -> dict[str, int]:
        """Remove the files in the table's folder that are old, and that no head needs.

        Raises Refused if the table needs none of the files there: then its addresses are not understood.
        """
        assert step.older_than is not None
        there = self._listed(step.location, step.older_than)
        metadata = self._reader.read_now(table).metadata
        heads = self.heads(table, metadata, self.named(step.alone))
        needed = {parts(at) for at in reachable.needed(heads, self._names)}
        if there and not any(_inside("://" + "/".join(at), step.location) for at in needed):
            raise Refused(f"{step.location} has files, but the table needs none of them. Nothing was deleted")
        orphans = [at for at in there if parts(at) not in needed]
        self._delete(orphans)
        return {"deleted_files_count": len(orphans)}

    def named(self, alone: bool = False) -> dict[str, str]:
        """Who names each metadata file now: tables on all branches and tags; ``alone``: on the catalog's own branch."""
        catalog, found = self._reader.catalog, {}
        if isinstance(catalog, HasReferences) and not alone:
            found = {at: where for where, at in catalog.tables_elsewhere().items()}
        return found | {head.location: name for name, head in self._reader.names().items()}

    def heads(self, table: str, metadata: Mapping[str, Any], named: Mapping[str, str]) -> list[TableHead]:
        """Where the table is, among the metadata files that are ``named``.

        Raises Refused if what may be the table cannot be read on one of them: nobody knows what it needs.
        """
        read = self._all(partial(self._head, table, metadata), named.items())
        return [head for head in read if head is not None]

    def _head(self, table: str, metadata: Mapping[str, Any], named: tuple[str, str]) -> TableHead | None:
        location, where = named
        if self._uuids.get(location, metadata["table-uuid"]) != metadata["table-uuid"]:
            return None
        try:
            found = self._files.read(location)
        except (Missing, Refused) as error:
            if where.partition(" on ")[0] != table and not any(_inside(location, home) for home in _homes(metadata)):
                return None
            fix = "Delete that branch or tag, or add `ignore_references: true` to `maintenance`"
            raise Refused(f"what {where} needs is not known: {error}. {fix}") from None
        self._uuids[location] = str(found.get("table-uuid"))
        return TableHead(where, location, found) if self._uuids[location] == metadata["table-uuid"] else None

    def _committed(self, table: str, older_than: datetime, retain_last: int) -> tuple[Mapping[str, Any], set[int]]:
        """The metadata before the commit, and the snapshots that it removed."""
        tries = 0
        while True:
            metadata, tries = self._reader.read_now(table).metadata, tries + 1
            if not (expired := expirable(metadata, older_than, retain_last)):
                return metadata, expired
            requirements = [
                {"type": "assert-table-uuid", "uuid": metadata["table-uuid"]},
                {"type": "assert-ref-snapshot-id", "ref": _MAIN, "snapshot-id": _current(metadata)},
            ]
            update = {"action": "remove-snapshots", "snapshot-ids": sorted(expired)}
            try:
                self._reader.catalog.commit_table(table, {"requirements": requirements, "updates": [update]})
                return metadata, expired
            except Conflict:
                if tries == _TRIES:
                    raise

    def _listed(self, location: str, before: datetime) -> list[str]:
        """The files of a folder that were written before that time. Hidden ones are nobody's garbage, as in Iceberg."""
        bucket, prefix = parts(location)[0], "/".join(parts(location)[1:]) + "/"
        with typed(self._store):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = [each for page in pages for each in page.get("Contents", ())]
        return [
            f"s3://{bucket}/{each['Key']}"
            for each in found
            if each["LastModified"] < before
            and not each["Key"].endswith("/")  # stores on a file system list folders too
            and not any(_hidden(part) for part in each["Key"].removeprefix(prefix).split("/"))
        ]

    def _delete(self, locations: Iterable[str]) -> None:
        def one(location: str) -> None:
            bucket, *key = parts(location)
            with typed(self._store):
                self._s3.delete_object(Bucket=bucket, Key="/".join(key))

        self._all(one, locations)

    def _all(self, call: Callable[[Any], T], values: Iterable[Any]) -> list[T]:
        with ThreadPoolExecutor(self._parallel) as pool:
            return list(pool.map(call, values))


def _homes(metadata: Mapping[str, Any]) -> list[str]:
    """The folders that the table writes to."""
    properties = metadata.get("properties") or {}
    return [str(metadata["location"]), *(properties[key] for key in PATHS if key in properties)]


def _inside(address: str, folder: str) -> bool:
    return parts(address)[: len(parts(folder))] == parts(folder)


def _hidden(name: str) -> bool:
    """As in Iceberg, whose partitions may be named like hidden folders: ``_day=2026-01-01``."""
    return name.startswith((".", "_")) and "=" not in name


def _current(metadata: Mapping[str, Any]) -> int | None:
    current: int | None = metadata.get("current-snapshot-id")
    return None if current == -1 else current
