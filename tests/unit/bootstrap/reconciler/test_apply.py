from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any
from unittest.mock import MagicMock

import pytest

from bootstrap.catalogs.polaris import PolarisCatalog
from bootstrap.reconciler.apply import Done, Failed, Outcome, apply
from bootstrap.reconciler.changes import Change, Op
from bootstrap.reconciler.objects.bucket import BucketGone
from bootstrap.reconciler.objects.catalog import CatalogGone, CatalogSettings
from bootstrap.reconciler.objects.namespace import NewNamespace
from bootstrap.reconciler.objects.table import TableGone
from bootstrap.reconciler.objects.user import UserSettings
from bootstrap.reconciler.plan import Plan, Step, plan
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import (
    Conflict,
    Exists,
    Missing,
    Refused,
    RemoteError,
    Throttled,
    UnknownState,
    Unreachable,
)
from tests.unit.bootstrap.reconciler.simulation import Simulation, lakehouse, world

TABLE = {"columns": {"a": "long"}}


class Recorder:
    """A catalog and a store that record their calls, and fail as the test defines."""

    def __init__(self, failures: Mapping[str, Exception] | None = None) -> None:
        self.failures = failures or {}
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.lock = threading.Lock()
        self.running = self.most = 0

    def note(self, what: str, body: Any = None) -> None:
        with self.lock:
            self.asked.append(what)
            self.bodies.append(body)
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.005)
        with self.lock:
            self.running -= 1
        if what in self.failures:
            raise self.failures[what]

    def create(self, name: str, settings: Mapping[str, Any]) -> list[str]:
        self.note(f"bucket {name}")
        return [key for key in ("expire_days",) if settings[key]]

    def create_namespace(self, name: str, properties: Mapping[str, str]) -> None:
        self.note(f"namespace {name}", properties)

    def commit_table(self, name: str, commit: Mapping[str, Any]) -> None:
        self.note(f"table {name}", commit)

    def drop_table(self, name: str, identity: str, *, purge: bool) -> str:
        self.note(f"drop {name} {purge}")
        return ""

    def delete(self, name: str, *, purge: bool) -> None:
        self.note(f"drop {name} {purge}")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def planned(spaces: int = 3, tables: int = 5) -> Plan:
    content = {f"n{s}": {"tables": {f"t{t}": TABLE for t in range(tables)}} for s in range(spaces)}
    return plan(Simulation().diff(lakehouse(content, buckets={"warehouse": {"expire_days": 3}})))


def test_all_is_done_in_order_and_several_at_a_time(recorder: Recorder) -> None:
    fates: list[Done | Failed] = []
    outcome = apply(planned(), world(recorder), fates.append)
    assert (len(outcome.done), outcome.failed, outcome.skipped, outcome.exit_code) == (19, (), (), 0)
    assert len(fates) == 19
    for table in (each for each in recorder.asked if each.startswith("table")):
        space = f"namespace {table.split()[1].split('.')[0]}"
        assert recorder.asked.index(space) < recorder.asked.index(table)
        assert recorder.asked.index("bucket warehouse") < recorder.asked.index(table)
    assert 1 < recorder.most <= 4
    assert [done.remark for done in outcome.done if done.remark] == ["the store cannot do expire_days"]


def test_each_new_table_gets_an_id_of_its_own(recorder: Recorder) -> None:
    apply(planned(), world(recorder))
    bodies = [body for asked, body in zip(recorder.asked, recorder.bodies, strict=True) if asked.startswith("table")]
    assert len({body["updates"][0]["uuid"] for body in bodies}) == 15
    assert all(body["requirements"] == [{"type": "assert-create"}] for body in bodies)


def test_a_failure_stops_only_what_depends_on_it(recorder: Recorder) -> None:
    recorder.failures = {"namespace n1": Refused("no"), "table n0.t0": Refused("no")}
    outcome = apply(planned(), world(recorder))
    assert {failure.address for failure in outcome.failed} == {"namespace lake.n1", "table lake.n0.t0"}
    assert set(outcome.skipped) == {f"table lake.n1.t{t}" for t in range(5)}
    assert (len(outcome.done), outcome.exit_code, outcome.again) == (12, 1, False)


@pytest.mark.parametrize("error", [Exists, Missing, Conflict, UnknownState, Refused, Throttled])
def test_which_failures_fresh_facts_may_settle(recorder: Recorder, error: type[RemoteError]) -> None:
    recorder.failures = {"table n0.t0": error("x")}
    outcome = apply(planned(1, 1), world(recorder))
    assert outcome.again == (error is not Refused)
    assert recorder.asked.count("table n0.t0") == 1, "nothing is sent twice here"


def test_what_nobody_answers_for_is_tried_once(recorder: Recorder) -> None:
    gone = Unreachable("catalog", "http://127.0.0.1:1", "refused")
    recorder.failures = {f"namespace n{n}": gone for n in range(40)}
    outcome = apply(planned(40, 1), world(recorder))
    assert len(outcome.failed) == 40
    assert len(recorder.asked) < 10


@pytest.mark.parametrize("dead", ["catalog", "store"])
@pytest.mark.parametrize("op", ["create", "destroy"])
def test_a_server_that_does_not_answer_fails_only_its_own_steps(op: Op, dead: str) -> None:
    body = CatalogGone("lake", 1) if op == "destroy" else CatalogSettings({}, {})
    catalog = Change(op, "catalog", "", "gone" if op == "destroy" else "lake", (), body)
    namespace = Change("create", "namespace", "lake", "n", (), NewNamespace({}))
    user = Change("create", "user", "", "unit-bob", (), UserSettings({}))
    buckets = [Change("destroy", "bucket", "", name, (), BucketGone()) for name in "ab"]
    of = {"catalog": [catalog, namespace], "store": [*buckets, user]}
    gone = Unreachable(dead, "http://127.0.0.1:1", "refused")
    lake, store, users = MagicMock(spec=PolarisCatalog), MagicMock(), MagicMock()
    for call in (lake.create_catalog, lake.drop_catalog) if dead == "catalog" else (store.delete,):
        call.side_effect = gone
    steps = tuple(Step(each) for each in (*of[dead], *(each for other in of if other != dead for each in of[other])))
    one_by_one = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, parallel=1)
    there = world(lake, connections=one_by_one, store=lambda: store, users=lambda: users)
    outcome = apply(Plan(steps), there)
    assert {each.address for each in outcome.failed} == {each.address for each in of[dead]}
    assert len(outcome.done) == len(steps) - len(of[dead])


def test_refused_parts_of_a_plan_count() -> None:
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": TABLE}}}))
    refused = plan(there.diff(lakehouse({"n": {"tables": {"t": {"columns": {"a": "int"}}}}})))
    outcome = apply(refused, world(Recorder()))
    assert (outcome.exit_code, len(outcome.refused)) == (1, 1)
    assert Outcome().exit_code == 0


class Many(Recorder):
    """A catalog that takes the commits of many tables at once."""

    def commit_tables(self, commits: Mapping[str, Mapping[str, Any]]) -> dict[str, Exception]:
        self.note(" ".join(commits), commits)
        return {name: self.failures[f"table {name}"] for name in commits if f"table {name}" in self.failures}


@pytest.fixture
def many() -> Many:
    return Many()


def test_tables_are_committed_together_if_the_catalog_supports_it(many: Many) -> None:
    fates: list[Done | Failed] = []
    outcome = apply(planned(2, 100), world(many), fates.append)
    assert (len(outcome.done), len(fates), outcome.exit_code) == (203, 203, 0)
    together = [asked.split() for asked in many.asked if asked.startswith("n")]
    together = [names for names in together if names[0] != "namespace"]
    assert sorted(name for names in together for name in names) == sorted(
        f"n{s}.t{t}" for s in (0, 1) for t in range(100)
    )
    assert 1 < max(map(len, together)) <= 32
    assert len(together) < 20
    bodies = [body for bodies in many.bodies if isinstance(bodies, dict) for body in bodies.values()]
    assert len({body["updates"][0]["uuid"] for body in bodies if isinstance(body, dict) and "updates" in body}) == 200


def test_only_one_of_the_tables_committed_together_fails(many: Many) -> None:
    many.failures = {"table n0.t3": Refused("no"), "table n0.t5": Conflict("late")}
    outcome = apply(planned(1, 20), world(many))
    assert {(each.address, each.again) for each in outcome.failed} == {
        ("table lake.n0.t3", False),
        ("table lake.n0.t5", True),
    }
    assert len(outcome.done) == 20, "18 tables, the namespace and the bucket"


@pytest.mark.parametrize("error", [TypeError("no such type\nand more"), OSError("no such file"), KeyError()])
def test_what_a_library_raises_ends_one_step_and_not_the_apply(recorder: Recorder, error: Exception) -> None:
    recorder.failures = {"table n0.t0": error}
    [failure] = (outcome := apply(planned(), world(recorder))).failed
    assert (failure.address, failure.again, len(outcome.done)) == ("table lake.n0.t0", False, 18)
    assert failure.message.startswith(f"{type(error).__name__}: ")
    assert "more" not in failure.message


def test_what_a_library_raises_of_many_tables_ends_only_these(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(commits: Mapping[str, Any]) -> dict[str, Exception]:
        raise ValueError("no")

    monkeypatch.setattr(many, "commit_tables", broken)
    outcome = apply(planned(1, 20), world(many))
    assert {each.message for each in outcome.failed} == {"ValueError: no"}
    assert (len(outcome.failed), len(outcome.done)) == (20, 2)


def test_a_table_is_dropped_by_its_id_and_what_stays_is_reported(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[tuple[str, str, bool]] = []

    def drop(name: str, identity: str, *, purge: bool) -> str:
        dropped.append((name, identity, purge))
        return "files stay"

    monkeypatch.setattr(recorder, "drop_table", drop, raising=False)
    there = Simulation()
    there.apply(lakehouse({"n": {"tables": {"t": {**TABLE, "deletable": True}}}}))
    going = plan(there.diff(lakehouse({"n": {}}), allow_destroy=True))
    assert apply(going, world(recorder), purge=True).done == (Done("table lake.n.t", "files stay"),)
    assert dropped == [("n.t", str(there.tables["n.t"].table_uuid), True)]


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize(("kind", "shared"), [("table", True), ("table", False), ("bucket", True)])
def test_purge_deletes_no_files_of_a_live_table(recorder: Recorder, kind: Any, shared: bool, purge: bool) -> None:
    whose = "s3://w/t is the location of lake.n.u" if shared else ""
    body = TableGone("1", whose) if kind == "table" else BucketGone(whose)
    step = Step(Change("destroy", kind, "" if kind == "bucket" else "lake", "n.t", (), body))
    outcome = apply(Plan((step,)), world(recorder), purge=purge)
    if shared and purge:
        assert "lake.n.u" in outcome.failed[0].message
        assert not recorder.asked
    else:
        assert recorder.asked == [f"drop n.t {purge}"]
