"""Catalogs: each is read as a whole, with its namespaces, tables, branches and tags.

No server that the bootstrap supports creates or drops catalogs on request: those of Nessie and Glue exist with the
server, so no change of a catalog is ever planned. Changes for a server that does it (Polaris) go here: their body needs
the entity's version at the time of the plan, by which the server refuses an outdated update.
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
        """Read the tables that the file names, and all of exclusive catalogs; ``reading`` counts over all catalogs."""
        counted: dict[str, tuple[int, int]] = {}

        def catalog(name: str, spec: Catalog) -> CatalogFacts:
            def count(read: int, of: int) -> None:
                counted[name] = (read, of)
                if look.reading:
                    reads = list(counted.values())  # one copy: the other catalogs' threads count meanwhile
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
        """Does nothing: each catalog exists as soon as its server runs."""

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        if change.op == "destroy":
            yield from (each.address for each in changes.inside(change.name, destroyed=True))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        raise Refused(f"{change.address}: no server of this lakehouse creates or drops catalogs")
