"""Seeds: a table's first rows, loaded once. A file that changes later is not loaded again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler import seeds
from bootstrap.reconciler.changes import Change, address
from bootstrap.reconciler.differences import CatalogPair, Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.marks import SEED as MARK
from bootstrap.reconciler.objects.catalog import closed
from bootstrap.reconciler.objects.namespace import renamed_around
from bootstrap.reconciler.seeds import SeedRows, digests
from bootstrap.reconciler.work import ApplyWork

SEED = "seed"


class Seeds(ObjectKind):
    words = (SEED,)
    bodies = {"create": SeedRows}
    kept_fails = True  # a note means that the rows of another file were loaded meanwhile

    def __init__(self, load: seeds.Loader = seeds.load) -> None:
        self._load = load

    def read(self, look: Inquiry) -> Put:
        found = digests(look.lakehouse, look.world.connections.folder)

        def put(facts: Facts) -> Facts:
            return replace(facts, seeds=found)

        return put

    def compare(self, found: Differences) -> None:
        for catalog in found.catalogs:
            for namespace, of in catalog.spec.namespaces.items():
                for table, spec in of.tables.items():
                    barred = address("table", catalog.name, f"{namespace}.{table}") in found.barred
                    if spec.seed is not None and not barred:
                        _compare(found, catalog, (namespace, table), spec.seed)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        yield address("catalog", "", change.catalog)
        yield address("rename", change.catalog, change.name)
        yield from renamed_around(change)
        yield self.part_of(change)

    def part_of(self, change: Change) -> str:
        return address("table", change.catalog, change.name)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, SeedRows)
        self._load(work.catalog(change.catalog), change.name, change.body, work.world.connections)
        return ""


def _compare(found: Differences, catalog: CatalogPair, table: tuple[str, str], file: str) -> None:
    name = ".".join(table)
    full, at = f"{catalog.name}.{name}", ("catalogs", catalog.name, "namespaces", table[0], "tables", table[1], "seed")
    have = catalog.facts.tables.get(name)
    digest, loaded = found.facts.seeds.get(file), have.properties.get(MARK) if have else None
    if digest is None:
        message = f"there is no file {file}. Put it next to the lakehouse's file, or correct the name"
        found.refuse(f"seed {full}", message, at)
    elif loaded is None and (why := closed(found, catalog.name)):
        found.refuse(f"seed {full}", why, at)
    elif loaded is None:
        details = (Detail("+", f"rows of {file}"),)
        found.changes.append(Change("create", SEED, catalog.name, name, details, SeedRows(file, digest)))
    elif loaded != digest:
        message = f"{file} has changed since it was loaded, and a seed is loaded once"
        advice = f"`lakehouse seed {full}` replaces the rows that it loaded, in one commit"
        found.keep(f"seed {full}", f"{message}. {advice}", at)
