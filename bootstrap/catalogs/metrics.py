"""Metrics of a table: its files, its metadata, its snapshots.

They are read from the table's metadata file, its manifest list and a listing of its location. This takes three requests
for each table and no engine, and is the same for every kind of catalog. The catalog's server is not asked: Nessie's
Iceberg REST endpoint shows only the current snapshot. https://iceberg.apache.org/spec/#table-metadata-fields
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlparse

from bootstrap.catalogs import connect
from bootstrap.catalogs.base import HasReferences, Head, Heads
from bootstrap.catalogs.metadata_files import file_settings
from bootstrap.iceberg.metadata import TableFacts
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing, Refused, first_line
from bootstrap.remote.s3 import client, typed
from lakehouse.errors import LakehouseError


@dataclass(frozen=True)
class TableMetrics:
    """Sizes are in bytes, times in milliseconds since 1970 (UTC).

    ``files``, ``bytes`` and ``delete_files`` are those of the current snapshot. ``stored_files`` and ``stored_bytes``
    count everything below the table's location, with former snapshots and orphans. ``metadata_bytes`` is the size of
    all metadata files there. ``rows`` are the rows of the current snapshot, None if its summary does not say;
    ``rows_exact`` is false for a table with delete files: the summary counts their entries, which may name rows twice,
    rows that are gone, or (equality deletes) any number of rows. Then ``rows`` is an estimate.
    """

    table: str
    files: int
    bytes: int
    delete_files: int
    snapshots: int
    manifests: int
    metadata_bytes: int
    stored_files: int
    stored_bytes: int
    last_commit: int | None
    rows: int | None = None
    rows_exact: bool = True

    @property
    def average_file_bytes(self) -> int:
        return self.bytes // self.files if self.files else 0


class Manifest(NamedTuple):
    """An entry of a manifest list: how many live files the manifest names, and whether they are delete files."""

    files: int
    deletes: bool


@dataclass(frozen=True)
class Found:
    """A table as it is in the store: ``metadata`` is its whole metadata file."""

    metrics: TableMetrics
    metadata: Mapping[str, Any] = field(repr=False)


def measure(
    table: str,
    metadata: Mapping[str, Any],
    snapshot: int | None,
    manifests: Iterable[Manifest],
    stored: Iterable[tuple[str, int]],
) -> TableMetrics:
    """The metrics of a table at ``snapshot`` (None: it has none). ``stored``: keys and sizes below its location."""
    listed, objects = list(manifests), list(stored)
    snapshots = {each["snapshot-id"]: each for each in metadata.get("snapshots", ())}
    current = snapshots.get(snapshot)
    summary = (current or {}).get("summary", {})
    records = 0 if current is None else _count(summary, "total-records")
    removed = _count(summary, "total-position-deletes") or 0
    deletes = sum(each.files for each in listed if each.deletes)
    return TableMetrics(
        table=table,
        files=sum(each.files for each in listed if not each.deletes),
        bytes=int(summary.get("total-files-size", 0)),
        delete_files=deletes,
        snapshots=len(snapshots),
        manifests=len(listed),
        metadata_bytes=sum(size for key, size in objects if "/metadata/" in key),
        stored_files=len(objects),
        stored_bytes=sum(size for _, size in objects),
        last_commit=current["timestamp-ms"] if current else None,
        rows=None if records is None else max(records - removed, 0),
        rows_exact=not deletes,
    )  # fmt: skip


def _count(summary: Mapping[str, Any], key: str) -> int | None:
    """A number of a snapshot's summary, or None. https://iceberg.apache.org/spec/#optional-snapshot-summary-fields"""
    return int(summary[key]) if key in summary else None


class TableReader:
    """Reads tables of one catalog. Raises the errors of :mod:`bootstrap.remote.errors`."""

    def __init__(self, name: str, connections: Connections) -> None:
        self.name, self._connections = name, connections
        self.catalog = connect(name, connections)
        store = connections.store
        self._store = store.endpoint or f"s3.{store.region}.amazonaws.com"
        self._s3 = client(store, patience=connections.patience, parallel=connections.parallel)

    def names(self) -> Mapping[str, Head]:
        """All tables, with the address of each one's metadata file and its current snapshot."""
        if isinstance(self.catalog, Heads):
            return self.catalog.heads()
        return {name: _head(table) for name, table in self.catalog.facts(None, lambda count, of: None).tables.items()}

    @cached_property
    def named(self) -> set[str]:
        """The metadata files that the catalog names: of all tables, also on other branches and tags. Read once."""
        return {*(head.location for head in self.names().values()), *self.elsewhere.values()}

    @cached_property
    def elsewhere(self) -> Mapping[str, str]:
        """The metadata files of tables on other branches and tags, by ``TABLE on REFERENCE``. Read once."""
        return self.catalog.tables_elsewhere() if isinstance(self.catalog, HasReferences) else {}

    def read(self, table: str, location: str, snapshot: int | None) -> Found:
        """One table, whose metadata file is at ``location``."""
        metadata = self._metadata(location)
        with typed(self._store):
            stored = list(self.stored(metadata["location"]))
        current = next((each for each in metadata.get("snapshots", ()) if each["snapshot-id"] == snapshot), None)
        manifests = self._manifests(current["manifest-list"]) if current else []
        return Found(measure(f"{self.name}.{table}", metadata, snapshot, manifests, stored), metadata)

    def read_now(self, table: str) -> Found:
        """One table as it is now. Raises Missing if there is none."""
        return self.read(table, *self._head(table))

    def location_now(self, table: str) -> str:
        """Where one table is now. Raises Missing if there is none."""
        return str(self._metadata(self._head(table).location)["location"])

    def _head(self, table: str) -> Head:
        if isinstance(self.catalog, Heads):
            return self.catalog.head(table)
        facts = self.catalog.read({table}).tables.get(table)
        if facts is None:
            raise Missing(f'catalog "{self.name}": there is no table {table}')
        return _head(facts)

    def read_all(self, tables: Mapping[str, Head]) -> Iterator[tuple[str, Found | LakehouseError]]:
        """Tables in the order of their names, with the error of each that cannot be read. Reads several at a time."""

        def one(table: str) -> tuple[str, Found | LakehouseError]:
            try:
                return table, self.read(table, *tables[table])
            except LakehouseError as error:
                return table, error

        with ThreadPoolExecutor(self._connections.parallel) as pool:
            yield from pool.map(one, sorted(tables))

    def _metadata(self, location: str) -> dict[str, Any]:
        bucket, key = _place(location)
        with typed(self._store):
            content = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with _readable(location):
            found: dict[str, Any] = json.loads(
                gzip.decompress(content) if key.endswith((".gz.metadata.json", ".gz")) else content
            )
        return found

    def stored(self, location: str) -> Iterator[tuple[str, int]]:
        bucket, prefix = _place(location)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/")
        for page in pages:
            # Stores on a file system list folders too, as empty objects whose names end in a slash.
            yield from ((each["Key"], each["Size"]) for each in page.get("Contents", ()) if each["Key"][-1] != "/")

    def _manifests(self, location: str) -> list[Manifest]:
        from pyiceberg.manifest import ManifestContent, read_manifest_list

        with _readable(location):
            return [
                Manifest(
                    (each.added_files_count or 0) + (each.existing_files_count or 0),
                    each.content == ManifestContent.DELETES,
                )
                for each in read_manifest_list(self._io.new_input(location))
            ]

    @cached_property
    def _io(self) -> Any:
        from bootstrap.remote.trusting import TrustingFileIO

        return TrustingFileIO(file_settings(self._connections))


@contextmanager
def _readable(location: str) -> Iterator[None]:
    """Say which file is missing or damaged: the libraries raise errors of many types, and some name no file."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(f"{location} does not exist") from None
    except Exception as error:
        raise Refused(f"{location} cannot be read: {first_line(error)}") from error


def _head(table: TableFacts) -> Head:
    snapshot = table.metadata.get("current-snapshot-id")
    return Head(table.metadata_location, None if snapshot == -1 else snapshot)


def _place(location: str) -> tuple[str, str]:
    parts = urlparse(location)
    return parts.netloc, parts.path.removeprefix("/")
