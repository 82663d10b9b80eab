"""Catalogs that keep only the locations of metadata files. A table's file is read from the store, and only once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import NamedTuple

from bootstrap.catalogs.base import Reading
from bootstrap.catalogs.cache import FactsCache
from bootstrap.catalogs.loading import FileFacts
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.view_files import ViewFiles
from bootstrap.iceberg.metadata import CatalogFacts
from bootstrap.remote.connections import CatalogConnection, Connections
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
        self.contents = FileFacts(self.files, self.views, FactsCache(connections.cache, kept), connections.parallel)

    @abstractmethod
    def namespaces(self) -> dict[str, dict[str, str]]:
        """The properties of each namespace."""

    @abstractmethod
    def listed(self, namespaces: Collection[str]) -> Listing:
        """What is in these."""

    def facts(self, tables: Collection[str] | None, reading: Reading) -> CatalogFacts:
        namespaces = self.namespaces()
        tables_at, views_at, others = self.listed(namespaces)
        listed = CatalogFacts(
            namespaces,
            {},
            frozenset(tables_at.keys() | others),
            self.limits,
            other_views=frozenset(views_at),
            unread={**tables_at, **views_at},
        )
        return self.contents.read(listed, tables, reading)

    def completed(self, facts: CatalogFacts) -> CatalogFacts:
        return self.contents.read(facts, None, lambda count, of: None)

    def read(self, names: Collection[str]) -> CatalogFacts:
        """Lists the namespaces of these, and no others."""
        listed = self.listed({name.rpartition(".")[0] for name in names})
        chosen = ({name: at for name, at in of.items() if name in names} for of in (listed.tables, listed.views))
        return self.contents.fresh(*chosen)

    def locations(self) -> Mapping[str, str]:
        listed = self.listed(self.namespaces())
        return {**listed.tables, **listed.views}
