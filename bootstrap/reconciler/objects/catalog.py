"""Catalogs: read as a whole, for their namespaces, tables, branches and tags.

No server that the bootstrap knows makes or drops catalogs on request: Nessie's and Glue's are there with the server, so
that no change of a catalog is ever planned. For a server that does (Polaris), its changes go here: a body with the
version of the entity that the plan was made with, by which the server refuses an update that comes late.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bootstrap.iceberg.metadata import CatalogFacts, Facts
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Refused
from lakehouse.spec.model import Catalog

CATALOG = "catalog"


class Catalogs(ObjectKind):
    words = (CATALOG,)

    def read(self, look: Inquiry) -> Put:
        """Tables that the file names, and all of exclusive catalogs; ``reading`` counts over all catalogs."""
        counted: dict[str, tuple[int, int]] = {}

        def catalog(name: str, spec: Catalog) -> CatalogFacts:
            def count(read: int, of: int) -> None:
                counted[name] = (read, of)
                if look.reading:
                    reads = list(counted.values())  # at once: the other catalogs count meanwhile
                    look.reading(sum(each for each, _ in reads), sum(all_ for _, all_ in reads))

            named = {f"{namespace}.{table}" for namespace, of in spec.namespaces.items() for table in of.tables}
            whole = look.everything or spec.managed == "exclusive"
            return look.world.catalog(name).facts(None if whole else named, count)

        specs = look.lakehouse.catalogs
        with ThreadPoolExecutor(max(1, len(specs))) as pool:
            read = {name: pool.submit(catalog, name, spec) for name, spec in specs.items()}
            found = {name: facts.result() for name, facts in read.items()}

        def put(facts: Facts) -> Facts:
            return replace(facts, catalogs=found)

        return put

    def compare(self, found: Differences) -> None:
        """Nothing: each catalog is there as soon as its server is."""

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":
            yield from (each.address for each in changes.inside(change.name, destroyed=True))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        raise Refused(f"{change.address}: no server of this lakehouse makes or drops catalogs")
