"""Seeds: a table's first rows, loaded once. A file that changes later is not loaded again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts, TableFacts
from bootstrap.reconciler import wanted
from bootstrap.reconciler.changes import Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.seeds import SeedRows, digests
from bootstrap.reconciler.wanted import WantedTable
from bootstrap.reconciler.work import ApplyWork

SEED = "seed"


class Seeds(ObjectKind):
    words = (SEED,)
    bodies = {"create": SeedRows}
    kept_fails = True  # a note means that the rows of another file were loaded meanwhile

    def read(self, look: Inquiry) -> Put:
        found = digests(look.lakehouse, look.world.connections.folder)

        def put(facts: Facts) -> Facts:
            return replace(facts, seeds=found)

        return put

    def compare(self, found: Differences) -> None:
        for catalog, want, facts in found.catalogs:
            for table in want.tables.values():
                if table.seed is not None and address("table", catalog, table.name) not in found.barred:
                    _compare(found, catalog, table, table.seed, facts.tables.get(table.name))

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        yield self.part_of(change)

    def part_of(self, change: Change) -> str:
        return address("table", change.catalog, change.name)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, SeedRows)
        work.world.load_seed(work.catalog(change.catalog), change.name, change.body, work.world.connections)
        return ""


def _compare(found: Differences, catalog: str, want: WantedTable, file: str, have: TableFacts | None) -> None:
    name, at = f"{catalog}.{want.name}", (*want.at, "seed")
    digest, loaded = found.facts.seeds.get(file), have.properties.get(wanted.SEED) if have else None
    if digest is None:
        message = f"there is no file {file}. Put it next to the lakehouse's file, or correct the name"
        found.refuse(f"seed {name}", message, at)
    elif loaded is None:
        details = (Detail("+", f"rows of {file}"),)
        found.changes.append(Change("create", SEED, catalog, want.name, details, SeedRows(file, digest)))
    elif loaded != digest:
        message = f"{file} has changed since it was loaded, and a seed is loaded once"
        advice = f"`lakehouse seed {name}` replaces the rows that it brought, in one commit"
        found.keep(f"seed {name}", f"{message}. {advice}", at)
