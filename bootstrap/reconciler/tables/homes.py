"""The folders of new tables, the claims of all live tables, and how lost tables were lost."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bootstrap.catalogs.base import Remembers
from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler.renames import catalogs_after, everything
from bootstrap.reconciler.tables import lost
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import RemoteError
from lakehouse.spec.model import Lakehouse


def settled(lakehouse: Lakehouse, world: World, facts: Facts) -> Facts:
    """``facts`` with the claims of all live tables, a folder for each new table, and notes on lost tables."""
    known, folders = claims.live(catalogs_after(lakehouse, everyone(world, facts.catalogs))), world.folders()
    catalogs = catalogs_after(lakehouse, facts.catalogs)
    absent = {name: _absent(lakehouse, name, catalogs[name]) for name in lakehouse.catalogs}
    folders.look([folder for missing in absent.values() for folder in missing.values()])
    homes = claims.homes(lakehouse, catalogs, known, folders.held)
    lost_tables: dict[str, str] = {}
    for name, missing in absent.items():
        if missing:
            there = everything(catalogs[name])
            claimed = {full for full, folder in missing.items() if next(known.within(folder), None)}
            catalog, files = world.catalog(name), world.files()
            try:
                gone = lost.find(catalog, missing, claimed, folders, files)
                lost_tables |= lost.describe(name, gone, there, world)
            except RemoteError as error:  # a log of many thousand commits may take longer than a request's timeout
                lost_tables |= {
                    f"{name}.{full}": f"whether it existed before is not known: {error}" for full in missing
                }
    return replace(facts, claims=known, homes=homes, lost=lost_tables)


def _absent(lakehouse: Lakehouse, name: str, facts: CatalogFacts) -> dict[str, str]:
    """The folder of each table of the file that the catalog does not have: its own, or else the default one."""
    content, there = lakehouse.catalogs[name], everything(facts)
    return {
        full: str(table.location) if table.location is not None else "/".join([content.location, *full.split(".")])
        for namespace, of in content.namespaces.items()
        for short, table in of.tables.items()
        if (full := f"{namespace}.{short}") not in there
    }


def everyone(world: World, read: Mapping[str, CatalogFacts]) -> dict[str, CatalogFacts]:
    """All tables of the catalogs, with those only listed so far, and the folders of tables on other references."""

    def whole(name: str) -> CatalogFacts:
        catalog, facts = world.catalog(name), read[name]
        found = catalog.completed(facts) if facts.others or facts.other_views else facts
        if found.unread:  # a commit since the list was read may have deleted the metadata file that the list names
            now = catalog.read(found.unread.keys())
            found = found.with_read(now.tables, now.views)
        if found.references and isinstance(catalog, Remembers):
            found = replace(found, elsewhere=catalog.elsewhere())
        return found

    with ThreadPoolExecutor(max(1, len(read))) as pool:
        return dict(zip(read, pool.map(whole, read), strict=True))
