"""Branches that jobs of SeaTunnel left. tests/kinds/test_streams_seatunnel.py has a real one."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pytest

from bootstrap.iceberg.metadata import CatalogFacts, Facts, TableFacts
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.kind import Inquiry
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.objects.pipeline_branch import PipelineBranches
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from bootstrap.reconciler.work import ApplyWork
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Conflict
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import world
from tests.unit.lakehouse.kinds.pipelines.streaming import lakehouse, without_pipelines

KINDS = OBJECTS.only("table-branch")
LEFT = "pipeline-orders-mj2k9q0a"
ADDRESS = f"table-branch lake.raw.orders@{LEFT}"
FILE = lakehouse({"orders": {"engine": "seatunnel", "from": {"topic": "orders"}, "to": "lake.raw.orders"}})
NOTHING = without_pipelines()


def facts(*names: str, **of: Any) -> TableFacts:
    refs = {name: {"type": "branch", "snapshot-id": 7, **of} for name in names}
    return TableFacts("", {"table-uuid": "u", "refs": {"main": {"type": "branch", "snapshot-id": 3}, **refs}})


class Lake:
    """A catalog with one table."""

    def __init__(self, *names: str, **of: Any) -> None:
        self.table = facts(*names, **of)
        self.commits: list[Any] = []

    def read(self, names: Collection[str]) -> CatalogFacts:
        return CatalogFacts({}, {"raw.orders": self.table})

    def commit_table(self, name: str, commit: Any) -> None:
        self.commits.append((name, commit))


def found(file: Lakehouse, lake: Lake, jobs: Collection[str] | None = (), *, allow_destroy: bool = False) -> Plan:
    store = StoreConnection("http://127.0.0.1:1", "us-east-1")
    where = world(lake, connections=Connections(store, {}, jobs=lambda: jobs))
    settled = PipelineBranches().settle(Inquiry(file, where), Facts({}, {"lake": lake.read(())}))
    return plan(diff(file, settled, allow_destroy=allow_destroy, kinds=KINDS), allow_destroy=allow_destroy)


def test_a_branch_of_a_pipeline_that_left_the_file_is_named() -> None:
    made = found(NOTHING, Lake(LEFT))
    assert made.steps == ()
    assert made.unnamed == (ADDRESS,)
    line = next(render(made))
    assert line.startswith(f"! {ADDRESS}: a job of pipeline orders, which writes to it no more, left it with rows")
    assert line.endswith("dropping it takes --allow-destroy")


def test_it_goes_with_the_key_if_nobody_moved_it() -> None:
    lake = Lake(LEFT)
    made = found(NOTHING, lake, allow_destroy=True)
    [step] = made.steps
    assert next(iter(render(made))) == f"- {ADDRESS}"
    assert from_json(json.loads(json.dumps(made.to_json()))).digest == made.digest
    work = ApplyWork(world(lake))
    assert PipelineBranches().carry_out(step.change, work) == ""
    [(table, commit)] = lake.commits
    assert table == "raw.orders"
    assert commit["updates"] == [{"action": "remove-snapshot-ref", "ref-name": LEFT}]
    lake.table = facts()
    assert PipelineBranches().carry_out(step.change, work) == "", "it is gone"
    lake.table = facts(LEFT, **{"snapshot-id": 8})
    with pytest.raises(Conflict, match="moved in the meantime: it is at 8, not at 7"):
        PipelineBranches().carry_out(step.change, work)


@pytest.mark.parametrize(
    ("file", "jobs"),
    [(FILE, ()), (FILE, ("orders",)), (NOTHING, ("orders",)), (NOTHING, None)],
    ids=("of the file", "at work", "not deployed yet", "not known"),
)
def test_what_a_job_may_write_to_is_left_alone(file: Lakehouse, jobs: Collection[str] | None) -> None:
    assert found(file, Lake(LEFT), jobs, allow_destroy=True) == found(file, Lake(), allow_destroy=True)


def test_a_pipeline_that_writes_elsewhere_now_leaves_one_too() -> None:
    elsewhere = {"engine": "seatunnel", "from": {"topic": "orders"}, "to": "lake.raw.changes"}
    assert found(lakehouse({"orders": elsewhere}), Lake(LEFT)).unnamed == (ADDRESS,)
    connect = {"from": {"topic": "orders"}, "to": "lake.raw.orders"}
    assert found(lakehouse({"orders": connect}), Lake(LEFT)).unnamed == (ADDRESS,)


@pytest.mark.parametrize("name", ["etl", "pipeline-orders", "pipeline-orders-2026", "pipeline-Orders-mj2k9q0a"])
def test_a_branch_of_somebody_else_is_left_alone(name: str) -> None:
    assert found(NOTHING, Lake(name), allow_destroy=True).steps == ()


def test_a_tag_and_a_stack_in_aws_have_none() -> None:
    assert found(NOTHING, Lake(LEFT, type="tag"), allow_destroy=True).steps == ()
    where = world(Lake(LEFT))
    live = Facts({}, {"lake": Lake(LEFT).read(())})
    assert PipelineBranches().settle(Inquiry(NOTHING, where), live) == live
