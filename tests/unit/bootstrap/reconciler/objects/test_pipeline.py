"""Pipelines: what has to change in Kafka Connect. tests/kinds/test_streams.py has a real one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.engines.kafka_connect import Connector, TaskState
from bootstrap.engines.replication import SourceDatabase
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.objects import OBJECTS, pipeline
from bootstrap.reconciler.objects.pipeline import PipelineFacts
from bootstrap.reconciler.plan import Plan, from_json, plan, render
from bootstrap.reconciler.reconcile import reconcile
from bootstrap.remote.connections import ConnectConnection, Connections, StoreConnection
from bootstrap.remote.errors import Refused, RemoteError, Unreachable
from lakehouse.kinds.compose import endpoints
from lakehouse.kinds.pipelines.connectors import connectors, slot
from lakehouse.runtimes.state import State
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import world
from tests.unit.lakehouse.kinds.pipelines.streaming import ITEMS, ORDERS, SHOP, lakehouse
from tests.unit.lakehouse.services.place import Somewhere, local

PIPELINES = OBJECTS.only("pipeline")
NONE, ONE, BOTH = lakehouse({}), lakehouse({"orders": ORDERS}), lakehouse()
KEPT = lakehouse({"orders": {**ORDERS, "deletable": True}})


def wanted(of: Lakehouse) -> dict[str, dict[str, Mapping[str, str]]]:
    place = Somewhere(of)
    return connectors(of, "local", place, endpoints(of, local(of), place).catalogs)


def there(of: Lakehouse, state: str = "RUNNING", trace: str = "") -> dict[str, Connector]:
    task = TaskState(0, state, trace)
    return {
        name: Connector(name, config, "RUNNING", (task,))
        for each in wanted(of).values()
        for name, config in each.items()
    }


def planned(want: Lakehouse, have: Mapping[str, Connector] | None, *, allow_destroy: bool = False) -> Plan:
    own = {} if have is None else {"pipeline": PipelineFacts(wanted(want), have)}
    found = diff(want, Facts({}, {}, own=own), allow_destroy=allow_destroy, kinds=PIPELINES)
    return plan(found, allow_destroy=allow_destroy, kinds=PIPELINES)


def shown(made: Plan) -> list[str]:
    return [line for line in render(made) if not line.startswith(("Plan:", "No changes", "1 object "))]


def with_setting(of: dict[str, Connector], name: str, key: str, value: str) -> dict[str, Connector]:
    return {**of, name: Connector(name, {**of[name].config, key: value}, "RUNNING", of[name].tasks)}


STRANGER = Connector("mine", {"connector.class": "x"}, "RUNNING")


@pytest.mark.parametrize(
    ("want", "have", "lines"),
    [
        (ONE, None, []),
        (ONE, {}, ["+ pipeline orders", "    + topic orders -> lake.raw.orders"]),
        (ONE, there(ONE), []),
        (ONE, there(ONE, "PAUSED"), []),
        (
            ONE,
            there(ONE, "FAILED", "org.X: wrapped\n\tat a\nCaused by: org.Y: no table\n\tat b\n"),
            ["~ pipeline orders", "    ~ orders-sink: task 0 has failed: org.Y: no table"],
        ),
        (
            ONE,
            with_setting(there(ONE), "orders-sink", "topics", "other"),
            ["~ pipeline orders", "    ~ orders-sink: topics: other -> orders"],
        ),
        (
            ONE,
            with_setting(there(ONE), "orders-sink", "by.hand", "1"),
            ["~ pipeline orders", "    ~ orders-sink: by.hand: 1 -> not set"],
        ),
        (
            BOTH,
            {name: each for name, each in there(BOTH).items() if name != "shop-source"},
            ["~ pipeline shop", "    + connector shop-source"],
        ),
        (ONE, {**there(ONE), "mine": STRANGER}, []),
    ],
)
def test_what_differs_is_planned(want: Lakehouse, have: Mapping[str, Connector] | None, lines: list[str]) -> None:
    assert shown(planned(want, have)) == lines


def test_one_that_the_file_no_longer_names_goes_with_both_keys() -> None:
    for have, allowed, gone in ((ONE, True, False), (KEPT, False, False), (KEPT, True, True)):
        made = planned(NONE, there(have), allow_destroy=allowed)
        assert [step.change.op for step in made.steps] == (["destroy"] if gone else [])
        assert ("it stays" in "".join(shown(made))) is not gone


def test_what_somebody_else_made_is_drift_and_stays() -> None:
    made = planned(NONE, {"mine": STRANGER}, allow_destroy=True)
    assert made.steps == ()
    assert made.unnamed == ("connector mine",)


def test_a_plan_has_no_secret_and_can_be_saved() -> None:
    made = planned(BOTH, {})
    assert from_json(json.loads(json.dumps(made.to_json()))).digest == made.digest
    assert "secret:" not in json.dumps(made.to_json())


class Connect:
    """Kafka Connect in memory."""

    def __init__(self, have: Mapping[str, Connector]) -> None:
        self.have, self.calls = dict(have), list[str]()

    def connectors(self) -> dict[str, Connector]:
        return dict(self.have)

    def put(self, name: str, config: Mapping[str, str]) -> None:
        self.calls.append(f"put {name}")
        self.have[name] = Connector(name, dict(config), "RUNNING", (TaskState(0, "RUNNING"),))

    def stop(self, name: str) -> None:
        self.calls.append(f"stop {name}")

    def remove(self, name: str) -> None:
        self.calls.append(f"remove {name}")
        del self.have[name]

    def restart(self, name: str) -> None:
        self.calls.append(f"restart {name}")
        self.have[name] = Connector(name, self.have[name].config, "RUNNING", (TaskState(0, "RUNNING"),))


@pytest.mark.parametrize(
    ("want", "have", "calls"),
    [
        (BOTH, {}, ["put orders-sink", "put shop-source", "put shop-sink"]),
        (ONE, there(ONE, "FAILED"), ["restart orders-sink"]),
        (NONE, there(KEPT), ["remove orders-sink"]),
        (ONE, {**there(ONE), "mine": STRANGER}, []),
    ],
)
def test_what_is_planned_is_done_and_then_there_is_nothing_left(
    want: Lakehouse, have: Mapping[str, Connector], calls: list[str]
) -> None:
    connect: Any = Connect(have)
    connection = ConnectConnection("http://127.0.0.1:1", wanted(want))
    at = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, connect=connection)
    where = world(None, connections=at, connect=lambda: connect)
    outcome = reconcile(want, where, allow_destroy=True, kinds=PIPELINES)
    assert (outcome.failed, connect.calls) == ((), calls)
    assert reconcile(want, where, allow_destroy=True, kinds=PIPELINES).done == ()


@pytest.mark.parametrize("refused", [False, True])
def test_a_replication_slot_goes_before_its_connector(
    refused: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dropped: list[tuple[str, str]] = []

    def drop(source: SourceDatabase, password: str) -> None:
        if refused:
            raise Refused("no")
        dropped.append((source.slot, password))

    monkeypatch.setattr(pipeline, "drop", drop)
    state = State(tmp_path)
    state.keep("pipeline-shop", "secret")
    connect: Any = Connect(there(lakehouse({"shop": {**SHOP, "deletable": True}})))
    connection = ConnectConnection("http://127.0.0.1:1", {})
    at = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, connect=connection, user_keys=state)
    where = world(None, connections=at, connect=lambda: connect)
    outcome = reconcile(NONE, where, allow_destroy=True, kinds=PIPELINES)
    if refused:
        assert (len(outcome.failed), connect.calls) == (1, ["stop shop-source"])
    else:
        assert outcome.failed == ()
        assert connect.calls == ["stop shop-source", "remove shop-source", "remove shop-sink"]
        assert dropped == [(slot("demo", "local", "shop"), "secret")]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Refused("password authentication failed"), "does not let reader in: password authentication failed. Correct"),
        (Unreachable("PostgreSQL", "db:5432", "refused"), "does not answer. Correct `host` and `port`"),
        (None, "null (HTTP 500)"),
    ],
)
def test_a_database_that_lets_nobody_in_is_the_cause(
    answer: RemoteError | None, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Connect itself says only that something was null."""

    def kept(source: SourceDatabase, password: str) -> None:
        assert password == "secret"
        if answer is not None:
            raise answer

    class Failing(Connect):
        def put(self, name: str, config: Mapping[str, str]) -> None:
            raise Refused("null (HTTP 500)")

    monkeypatch.setattr(pipeline, "kept", kept)
    state = State(tmp_path)
    state.keep("pipeline-shop", "secret")
    connect: Any = Failing({})
    connection = ConnectConnection("http://127.0.0.1:1", wanted(BOTH))
    at = Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {}, connect=connection, user_keys=state)
    outcome = reconcile(BOTH, world(None, connections=at, connect=lambda: connect), kinds=PIPELINES)
    [failure] = [each for each in outcome.failed if "shop" in str(each)]
    assert said in str(failure)
    [other] = [each for each in outcome.failed if "shop" not in str(each)]
    assert "null" in str(other), "of a topic, Connect's own answer"


def test_the_table_comes_first() -> None:
    facts = Facts({}, {}, own={"pipeline": PipelineFacts(wanted(ONE), {})})
    table = Change("create", "table", "lake", "raw.orders", (), Body())
    found = diff(ONE, facts, kinds=PIPELINES)
    made = plan(replace(found, changes=(*found.changes, table)), kinds=OBJECTS)
    assert [step.address for step in made.steps] == ["table lake.raw.orders", "pipeline orders"]
    assert made.steps[1].needs == ("table lake.raw.orders",)


@pytest.mark.parametrize(("of", "twin"), [(ORDERS, "orders"), (SHOP, "shop"), (ITEMS, "items")])
def test_a_pipeline_with_another_name_is_refused_while_the_former_is_there(of: Any, twin: str) -> None:
    """Its rows would come once more, and from then on each twice."""
    have, renamed = there(lakehouse({twin: of})), lakehouse({"renamed": of})
    for allow in (False, True):
        made = planned(renamed, have, allow_destroy=allow)
        assert made.steps == ()
        [note] = made.refused
        assert note.address == "pipeline renamed"
        assert note.message.startswith(f"pipeline {twin}, which the file no longer has, reads the same into {of['to']}")
        assert note.message.endswith(f"Name it {twin}, or remove {twin} first")
    assert [step.address for step in planned(renamed, {}).steps] == ["pipeline renamed"]
    other = lakehouse({"renamed": {**ORDERS, "from": {"topic": "others"}}})
    assert [step.address for step in planned(other, have).steps] == ["pipeline renamed"]


def test_a_pipeline_that_another_engine_reads_now_is_named_as_long_as_connect_has_it() -> None:
    moved = {"orders": {"engine": "seatunnel", **ORDERS}}
    lines = "\n".join(shown(planned(lakehouse(moved), there(ONE), allow_destroy=True)))
    assert "pipeline orders: SeaTunnel reads it now, and Kafka Connect still does: each row comes twice" in lines
    made = planned(lakehouse(moved), there(KEPT), allow_destroy=True)
    assert [(step.change.op, step.address) for step in made.steps] == [("destroy", "pipeline orders")]
    assert "each row comes twice" not in "\n".join(shown(made))
