"""Catalogs that keep only the locations of metadata files. A table's file is read from the store, and only once."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from bootstrap.catalogs.base import Reading
from bootstrap.catalogs.cache import FactsCache
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.view_files import ViewFiles
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.remote.connections import CatalogConnection, Connections
from bootstrap.remote.errors import Missing
from lakehouse.spec.kinds import Limits


class Listing(NamedTuple):
    """The addresses of the metadata files of tables and of views by their names, and the names of everything else."""

    tables: Mapping[str, str]
    views: Mapping[str, str]
    others: frozenset[str]


class LocatedCatalog(ABC):
    """The facts of such a catalog, from its lists of databases and of tables. They are kept under the name ``kept``."""

    limits: Limits

    def __init__(self, name: str, connection: CatalogConnection, connections: Connections, kept: str) -> None:
        self.name, self.connection, self.connections = name, connection, connections
        self.what = f'catalog "{name}"'
        self.warehouse = connection.warehouse.rstrip("/")
        self.files = MetadataFiles(connections)
        self.views = ViewFiles(self.files, connections.parallel)
        self.cache = FactsCache(connections.cache, kept)

    @abstractmethod
    def namespaces(self) -> dict[str, dict[str, str]]:
        """The properties of each namespace."""

    @abstractmethod
    def listed(self, namespaces: Collection[str]) -> Listing:
        """What is in these."""

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        namespaces = self.namespaces()
        listed = self.listed(namespaces)
        locations, others = listed.tables, listed.others
        chosen = {name: at for name, at in locations.items() if tables is None or name in tables}
        kept = self.cache.load()
        facts = {name: TableFacts(at, json.loads(kept[at])) for name, at in chosen.items() if at in kept}
        facts |= self._read({name: at for name, at in chosen.items() if name not in facts}, reading)
        live = set(locations.values())
        new = {
            table.metadata_location: table.metadata for table in facts.values() if table.metadata_location not in kept
        }
        if new or kept.keys() - live:
            self.cache.store(new, kept.keys() - live)
        unread = frozenset(locations.keys() | others) - facts.keys()
        views = self.views.read({name: at for name, at in listed.views.items() if tables is None or name in tables})
        left = frozenset(listed.views) - views.keys()
        return CatalogFacts(namespaces, facts, unread, self.limits, views=views, other_views=left)

    def locations(self) -> Mapping[str, str]:
        return self.listed(self.namespaces()).tables

    def _read(self, locations: Mapping[str, str], reading: Reading) -> dict[str, TableFacts]:
        found: dict[str, TableFacts] = {}
        with ThreadPoolExecutor(self.connections.parallel) as pool:
            tables = pool.map(self._table, locations.values())
            for count, (name, table) in enumerate(zip(locations, tables, strict=True), 1):
                if table is not None:
                    found[name] = table
                reading(count, len(locations))
        return found

    def _table(self, location: str) -> TableFacts | None:
        try:
            return TableFacts(location, compact(self.files.read(location)))
        except Missing:
            return None  # dropped since it was listed, with its files
