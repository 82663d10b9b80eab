"""Read what is there, from the store and every catalog at once."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bootstrap.catalogs.base import Reading, Remembers
from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import BucketFacts, CatalogFacts, Facts
from bootstrap.reconciler import lost
from bootstrap.reconciler.seeds import digests
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import RemoteError
from lakehouse.spec.model import Catalog, Lakehouse


def gather(lakehouse: Lakehouse, world: World, *, everything: bool = False, reading: Reading | None = None) -> Facts:
    """The facts that a diff with ``lakehouse`` needs: tables that the file names, and all tables of exclusive catalogs.

    Where the file asks for a folder that no table has yet, all tables are read: the folder may be one of theirs.
    ``everything`` reads all tables of all catalogs; ``reading`` is told of the tables of all catalogs together. Raises
    the errors of :mod:`bootstrap.remote.errors`.
    """
    counted: dict[str, tuple[int, int]] = {}

    def catalog(name: str, spec: Catalog) -> CatalogFacts:
        def told(count: int, of: int) -> None:
            counted[name] = (count, of)
            if reading:
                reads = list(counted.values())  # at once: the other catalogs count meanwhile
                reading(sum(read for read, _ in reads), sum(all_ for _, all_ in reads))

        named = {f"{namespace}.{table}" for namespace, of in spec.namespaces.items() for table in of.tables}
        whole = everything or spec.managed == "exclusive"
        return world.catalog(name).facts(None if whole else named, told)

    def buckets() -> dict[str, BucketFacts]:
        # In AWS they are Terraform's (bootstrap.session.aws), and the account's others nobody's business. A local store
        # is asked though the file names none any more: one may be there to go.
        if not lakehouse.buckets and world.connections.store.endpoint is None:
            return {}
        return world.store().facts(lakehouse.buckets, lakehouse.name if everything else None)

    with ThreadPoolExecutor(1 + len(lakehouse.catalogs)) as pool:
        store = pool.submit(buckets)
        read = {name: pool.submit(catalog, name, spec) for name, spec in lakehouse.catalogs.items()}
        found = {name: facts.result() for name, facts in read.items()}
        facts = Facts(store.result(), found, digests(lakehouse, world.connections.folder))
    if everything or claims.unsettled(lakehouse, facts):
        return settled(lakehouse, world, facts)
    return facts


def settled(lakehouse: Lakehouse, world: World, facts: Facts) -> Facts:
    """The facts with the claims of all that is live, a folder for each new table, and what became of lost ones."""
    whole = everyone(world, facts.catalogs)
    known, folders = claims.live(whole), world.folders()
    homes = claims.homes(lakehouse, facts.catalogs, known, folders.held)
    told: dict[str, str] = {}
    for name, content in lakehouse.catalogs.items():
        there = {*facts.catalogs[name].tables, *facts.catalogs[name].others}
        missing = {
            full: "/".join([content.location, *full.split(".")])
            for namespace, of in content.namespaces.items()
            for table, spec in of.tables.items()
            if (full := f"{namespace}.{table}") not in there
        }
        if missing:
            claimed = {full for full, folder in missing.items() if next(known.within(folder), None)}
            catalog, files = world.catalog(name), world.files()
            try:
                gone = lost.find(catalog, missing, claimed, folders, files)
                told |= lost.describe(name, gone, there, world)
            except RemoteError as error:  # a log of many thousand commits may take longer than a request may
                told |= {f"{name}.{full}": f"whether it was there before is not known: {error}" for full in missing}
    return replace(facts, claims=known, homes=homes, lost=told)


def everyone(world: World, read: Mapping[str, CatalogFacts]) -> dict[str, CatalogFacts]:
    """All tables of the catalogs, those that were only seen too, and the folders of those on other references."""
    found: dict[str, CatalogFacts] = {}
    for name, facts in read.items():
        catalog = world.catalog(name)
        whole = catalog.facts(None, lambda count, of: None) if facts.others else facts
        if whole.references and isinstance(catalog, Remembers):
            whole = replace(whole, elsewhere=catalog.elsewhere())
        found[name] = whole
    return found
