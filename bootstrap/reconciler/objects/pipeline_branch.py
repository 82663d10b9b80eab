"""Branches of tables in which jobs of SeaTunnel left rows: their pipeline has left the file, or writes elsewhere now.

The rows never became the table's, and the branch keeps their files, and its snapshots from expiring.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from bootstrap.catalogs.references import TableReferences
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, Note
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Inquiry, ObjectKind
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.errors import Missing
from lakehouse.kinds.pipelines.seatunnel_jobs import pipeline_of, writes_to_branches
from lakehouse.spec.model import Lakehouse

BRANCH = "table-branch"


@dataclass(frozen=True)
class BranchGone(Body):
    """A branch of a table to destroy, if it is still at this snapshot: a job that runs moves it."""

    table: str
    branch: str
    snapshot: int


@dataclass(frozen=True)
class LeftBranch:
    """A branch that no pipeline of the file writes to, and no job that runs."""

    catalog: str
    pipeline: str
    gone: BranchGone


class PipelineBranches(ObjectKind):
    words = (BRANCH,)
    bodies = {"destroy": BranchGone}

    def settle(self, look: Inquiry, facts: Facts) -> Facts:
        jobs = look.world.connections.jobs
        if jobs is None:
            return facts
        found = tuple(_left(look.lakehouse, facts))
        run = jobs() if found else ()
        known = () if run is None else tuple(each for each in found if each.pipeline not in run)
        return replace(facts, own={**facts.own, BRANCH: known})

    def compare(self, found: Differences) -> None:
        """The file names none."""

    def compare_unnamed(self, found: Differences) -> None:
        left: Collection[LeftBranch] = found.facts.own.get(BRANCH, ())
        for each in left:
            gone = each.gone
            if f"table {each.catalog}.{gone.table}" in found.going:
                continue
            detail = Detail("-", f"rows of pipeline {each.pipeline}, which the table does not have")
            change = Change("destroy", BRANCH, each.catalog, f"{gone.table}@{gone.branch}", (detail,), gone)
            if found.allow_destroy:
                found.destroy(change, marked=True)
                continue
            found.unnamed.append(change.address)
            message = f"a job of pipeline {each.pipeline}, which writes to it no more, left it with rows that the table"
            fix = "does not have. It stays, with their files: dropping it takes --allow-destroy"
            found.kept.append(Note(change.address, f"{message} {fix}"))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, BranchGone)
        gone = change.body
        with suppress(Missing):  # somebody was faster
            TableReferences(work.catalog(change.catalog), gone.table).delete(gone.branch, "branch", gone.snapshot)
        return ""


def _left(lakehouse: Lakehouse, facts: Facts) -> Iterator[LeftBranch]:
    """By the tables of the file that were read under their own names."""
    owners = {(name, each.to) for name, each in lakehouse.pipelines.items() if writes_to_branches(each)}
    for catalog, live in facts.catalogs.items():
        for table, have in live.tables.items():
            if table in live.renamed:
                continue
            for branch, reference in (have.metadata.get("refs") or {}).items():
                pipeline = pipeline_of(branch) if reference["type"] == "branch" else ""
                if pipeline and (pipeline, f"{catalog}.{table}") not in owners:
                    yield LeftBranch(catalog, pipeline, BranchGone(table, branch, int(reference["snapshot-id"])))
