"""Read what is there, from the store and every catalog at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bootstrap import catalogs
from bootstrap.catalogs.base import Reading
from bootstrap.connections import Connections
from bootstrap.reconciler.metadata import BucketFacts, CatalogFacts, Facts
from bootstrap.reconciler.seeds import digests
from bootstrap.reconciler.stores import Store
from lakehouse.spec.model import Catalog, Lakehouse


def gather(
    lakehouse: Lakehouse, connections: Connections, *, everything: bool = False, reading: Reading | None = None
) -> Facts:
    """The facts that a diff with ``lakehouse`` needs: tables that the file names, and all tables of exclusive catalogs.

    ``everything`` reads all tables of all catalogs; ``reading`` is told of the tables of all catalogs together. Raises
    the errors of :mod:`bootstrap.errors`.
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
        return catalogs.connect(name, connections).facts(None if whole else named, told)

    def buckets() -> dict[str, BucketFacts]:
        # In AWS they are Terraform's (bootstrap.aws), and the account's others nobody's business. A store of our own is
        # asked though the file names none any more: one may be there to go.
        if not lakehouse.buckets and connections.store.endpoint is None:
            return {}
        return Store(connections).facts(lakehouse.buckets, lakehouse.name if everything else None)

    with ThreadPoolExecutor(1 + len(lakehouse.catalogs)) as pool:
        store = pool.submit(buckets)
        read = {name: pool.submit(catalog, name, spec) for name, spec in lakehouse.catalogs.items()}
        found = {name: facts.result() for name, facts in read.items()}
        return Facts(store.result(), found, digests(lakehouse, connections.folder))
