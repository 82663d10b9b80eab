"""Read tables and views that a catalog has listed, several at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bootstrap.catalogs.base import Reading
from bootstrap.catalogs.cache import FactsCache
from bootstrap.catalogs.metadata_files import MetadataFiles
from bootstrap.catalogs.view_files import ViewFiles
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.remote.errors import Missing

T = TypeVar("T")


def loaded(
    wanted: Mapping[str, str], read: Callable[[str], T | None], reading: Reading, parallel: int
) -> dict[str, T]:  # fmt: skip
    """What ``read`` returns for each value, by the names; a table that vanished meanwhile (None) is left out."""
    found: dict[str, T] = {}
    with ThreadPoolExecutor(parallel) as pool:
        for count, (name, one) in enumerate(zip(wanted, pool.map(read, wanted.values()), strict=True), 1):
            if one is not None:
                found[name] = one
            reading(count, len(wanted))
    return found


class FileFacts:
    """The facts of catalogs that list the addresses of metadata files. A file of a table is read only once."""

    def __init__(self, files: MetadataFiles, views: ViewFiles, cache: FactsCache, parallel: int) -> None:
        self._files, self._views, self._cache, self._parallel = files, views, cache, parallel

    def read(self, facts: CatalogFacts, wanted: Collection[str] | None, reading: Reading) -> CatalogFacts:
        """``facts`` with these of the tables and views whose addresses it has (None: with all of them)."""
        chosen = {name: at for name, at in facts.unread.items() if wanted is None or name in wanted}
        kept = self._cache.load()
        locations = {name: at for name, at in chosen.items() if name in facts.others}
        tables = {name: TableFacts(at, json.loads(kept[at])) for name, at in locations.items() if at in kept}
        unknown = {name: at for name, at in locations.items() if name not in tables}
        read = loaded(unknown, self._table, reading, self._parallel)
        live = {*facts.unread.values(), *(table.metadata_location for table in facts.tables.values())}
        if read or kept.keys() - live:
            self._cache.store({of.metadata_location: of.metadata for of in read.values()}, kept.keys() - live)
        views = self._views.read({name: at for name, at in chosen.items() if name in facts.other_views})
        return facts.with_read({**tables, **read}, views)

    def fresh(self, tables: Mapping[str, str], views: Mapping[str, str]) -> CatalogFacts:
        """The tables and views with these addresses. Nothing is kept, as others are not known."""
        read = loaded(tables, self._table, lambda count, of: None, self._parallel)
        return CatalogFacts({}, read, views=self._views.read(views))

    def _table(self, location: str) -> TableFacts | None:
        try:
            return TableFacts(location, compact(self._files.read(location)))
        except Missing:
            return None  # dropped since it was listed, with its files
