"""Slots that Kafka Connect left behind. tests/kinds/test_slots.py and test_streams.py have real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bootstrap.engines.kafka_connect import Connector
from bootstrap.engines.replication import SourceDatabase
from bootstrap.engines.slot_records import SlotRecords
from bootstrap.reconciler.objects import OBJECTS, pipeline, replication_slot
from bootstrap.reconciler.plan import from_json, render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from bootstrap.reconciler.world import World
from bootstrap.remote.connections import ConnectConnection, Connections, StoreConnection
from bootstrap.remote.errors import Refused, Unreachable
from lakehouse.kinds.pipelines.connectors import slot
from lakehouse.runtimes.state import State
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.objects.test_pipeline import Connect, there, wanted
from tests.unit.bootstrap.reconciler.simulation import world
from tests.unit.lakehouse.kinds.pipelines.streaming import ORDERS, SHOP, lakehouse, without_pipelines

KINDS = OBJECTS.only("pipeline", "slot")
DELETABLE, KEPT = lakehouse({"shop": {**SHOP, "deletable": True}}), lakehouse({"shop": SHOP})
NOTHING = without_pipelines()
NAME = slot("demo", "local", "shop")
MOVED = {**SHOP, "from": {"postgres": {**SHOP["from"]["postgres"], "host": "new.example.com"}}}


class Databases:
    """What databases have: their slots, by host. ``refuses`` is the answer of all, if it is an error."""

    def __init__(self) -> None:
        self.slots: dict[str, list[str]] = {}
        self.refuses: Exception | None = None
        self.reader = False

    def made(self, connectors: Mapping[str, Connector]) -> None:
        """Debezium makes its slot."""
        for each in connectors.values():
            if (source := SourceDatabase.of(each.config)) is not None and source.slot not in self.of(source):
                self.of(source).append(source.slot)

    def of(self, source: SourceDatabase) -> list[str]:
        return self.slots.setdefault(source.host, [])

    def kept(self, source: SourceDatabase, password: str, patience: float) -> int | None:
        if self.refuses:
            raise self.refuses
        assert password == "of-the-shop"
        return 0 if source.slot in self.of(source) else None

    def drop(self, source: SourceDatabase, password: str, *, end_reader: bool = True) -> bool:
        if self.refuses:
            raise self.refuses
        assert password == "of-the-shop"
        if self.reader and not end_reader:
            return False
        self.slots[source.host] = [each for each in self.of(source) if each != source.slot]
        return True


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Databases:
    found = Databases()
    for module in (pipeline, replication_slot):
        monkeypatch.setattr(module, "drop", found.drop)
    monkeypatch.setattr(replication_slot, "kept", found.kept)
    return found


@pytest.fixture
def state(tmp_path: Path) -> State:
    found = State(tmp_path)
    found.keep("pipeline-shop", "of-the-shop")
    return found


At = Callable[[Lakehouse], World]


@pytest.fixture
def at(state: State, databases: Databases) -> At:
    """The world in which a file is applied: with Kafka Connect, which keeps what it has, if the file has pipelines."""
    connect = Connect({})

    def found(of: Lakehouse) -> World:
        has: Any = connect if of.pipeline_engines else None
        databases.made(connect.have if has else {})
        connection = ConnectConnection("http://127.0.0.1:1", wanted(of)) if has else None
        store = StoreConnection("http://127.0.0.1:1", "us-east-1")
        connections = Connections(store, {}, connect=connection, user_keys=state)
        return world(None, connections=connections, connect=(lambda: has) if has else None)

    return found


def applied(of: Lakehouse, where: World, databases: Databases, *, allow_destroy: bool = False) -> list[str]:
    """Apply the file. Returns what was done."""
    outcome = reconcile(of, where, allow_destroy=allow_destroy, kinds=KINDS)
    assert not outcome.failed
    if where.connect is not None:
        databases.made(where.connect().connectors())
    return [each.address for each in outcome.done]


ADDRESS = f"slot {NAME} of shop at db.example.com:5432"


def test_the_slot_of_a_pipeline_that_left_with_connect_goes_with_both_keys(at: At, databases: Databases) -> None:
    applied(DELETABLE, at(DELETABLE), databases)
    assert databases.slots == {"db.example.com": [NAME]}
    left = make_plan(NOTHING, at(NOTHING), kinds=KINDS)
    assert (left.steps, left.unnamed) == ((), (ADDRESS,))
    [line, *_] = render(left)
    assert line.startswith(f"! {ADDRESS}: no pipeline reads it, and it stays: shop at db.example.com:5432 keeps its")
    assert "Dropping it takes --allow-destroy; or, there, SELECT pg_drop_replication_slot" in line
    outcome = reconcile(NOTHING, at(NOTHING), kinds=KINDS)
    assert (outcome.done, outcome.exit_code, [each.address for each in outcome.stays]) == ((), 0, [ADDRESS])
    made = make_plan(NOTHING, at(NOTHING), allow_destroy=True, kinds=KINDS)
    assert list(render(made))[:2] == [f"- {ADDRESS}", "    - pipeline shop read by it"]
    assert from_json(json.loads(json.dumps(made.to_json()))).digest == made.digest
    assert applied(NOTHING, at(NOTHING), databases, allow_destroy=True) == [ADDRESS]
    assert databases.slots == {"db.example.com": []}
    assert make_plan(NOTHING, at(NOTHING), allow_destroy=True, kinds=KINDS).unnamed == ()


def test_without_the_key_in_the_file_it_stays_and_the_note_says_which_is_missing(at: At, databases: Databases) -> None:
    applied(KEPT, at(KEPT), databases)
    assert applied(NOTHING, at(NOTHING), databases, allow_destroy=True) == []
    [note] = make_plan(NOTHING, at(NOTHING), allow_destroy=True, kinds=KINDS).kept
    assert "takes --allow-destroy and `deletable: true` on pipeline shop, applied before its entry is" in note.message
    applied(DELETABLE, at(DELETABLE), databases)
    assert applied(NOTHING, at(NOTHING), databases, allow_destroy=True) == [ADDRESS]


def test_a_slot_that_was_dropped_by_hand_is_not_named_and_is_forgotten(at: At, databases: Databases) -> None:
    applied(KEPT, at(KEPT), databases)
    databases.slots.clear()
    assert make_plan(NOTHING, at(NOTHING), kinds=KINDS).unnamed == ()
    applied(NOTHING, at(NOTHING), databases)
    databases.refuses = AssertionError("nobody asks again")
    assert make_plan(NOTHING, at(NOTHING), kinds=KINDS).unnamed == ()


def test_a_pipeline_that_comes_back_begins_anew_if_its_slot_was_dropped(at: At, databases: Databases) -> None:
    applied(DELETABLE, at(DELETABLE), databases)
    applied(NOTHING, at(NOTHING), databases, allow_destroy=True)
    where = at(DELETABLE)
    assert where.connect is not None
    connect: Any = where.connect()
    connect.calls.clear()
    [line, *details] = render(make_plan(DELETABLE, where, kinds=KINDS))
    assert line == "~ pipeline shop"
    assert details[0] == "    ~ shop-source: reads all rows again, because its replication slot was dropped"
    applied(DELETABLE, where, databases)
    assert connect.calls == ["stop shop-source", "remove shop-source", "put shop-source"]
    assert make_plan(DELETABLE, at(DELETABLE), kinds=KINDS).steps == ()
    assert databases.slots == {"db.example.com": [NAME]}


def test_a_pipeline_that_comes_back_goes_on_if_its_slot_is_there(at: At, databases: Databases) -> None:
    applied(KEPT, at(KEPT), databases)
    applied(NOTHING, at(NOTHING), databases)
    assert applied(KEPT, at(KEPT), databases) == []


def test_a_connector_that_comes_back_without_its_entry_takes_its_slot_with_it(at: At, databases: Databases) -> None:
    """An empty `pipelines: {}` brings Kafka Connect back, with what it had."""
    applied(DELETABLE, at(DELETABLE), databases)
    applied(NOTHING, at(NOTHING), databases, allow_destroy=True)
    none = lakehouse({})
    applied(none, at(none), databases)
    assert databases.slots == {"db.example.com": [NAME]}, "its connector has made it again"
    assert make_plan(NOTHING, at(NOTHING), kinds=KINDS).unnamed == (ADDRESS,)
    assert applied(none, at(none), databases, allow_destroy=True) == ["pipeline shop"]
    assert databases.slots == {"db.example.com": []}
    assert make_plan(NOTHING, at(NOTHING), kinds=KINDS).unnamed == ()


def test_a_pipeline_without_a_slot_leaves_none(at: At, databases: Databases) -> None:
    topic = lakehouse({"orders": ORDERS})
    applied(topic, at(topic), databases)
    assert make_plan(NOTHING, at(NOTHING), kinds=KINDS).unnamed == ()


def test_a_slot_in_the_database_that_a_pipeline_read_before_is_named(at: At, databases: Databases) -> None:
    applied(KEPT, at(KEPT), databases)
    moved = lakehouse({"shop": MOVED})
    applied(moved, at(moved), databases)
    assert make_plan(moved, at(moved), allow_destroy=True, kinds=KINDS).unnamed == (ADDRESS,)
    keyed = lakehouse({"shop": {**MOVED, "deletable": True}})
    applied(keyed, at(keyed), databases)
    assert applied(keyed, at(keyed), databases, allow_destroy=True) == [ADDRESS]
    assert databases.slots == {"db.example.com": [], "new.example.com": [NAME]}


def test_slots_of_connectors_that_an_earlier_version_made_are_recorded(
    at: At, databases: Databases, state: State
) -> None:
    where = at(DELETABLE)
    assert where.connect is not None
    connect: Any = where.connect()
    connect.have |= there(DELETABLE)
    databases.made(connect.have)
    assert list(SlotRecords(state)) == []
    applied(DELETABLE, where, databases)
    assert applied(NOTHING, at(NOTHING), databases, allow_destroy=True) == [ADDRESS]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Unreachable("PostgreSQL", "db.example.com:5432", "no route", "It stays."), "If that database is gone, delete"),
        (Refused("the replication slot stays. Drop it there"), "the replication slot stays. Drop it there"),
        (None, "somebody reads it: another copy of this stack, or a Kafka Connect that has not ended"),
    ],
)
def test_a_slot_that_does_not_go_is_a_failure_with_the_way_out(
    at: At, databases: Databases, state: State, answer: Exception | None, said: str
) -> None:
    applied(DELETABLE, at(DELETABLE), databases)
    databases.refuses, databases.reader = answer, True
    outcome = reconcile(NOTHING, at(NOTHING), allow_destroy=True, kinds=KINDS)
    [failed] = outcome.failed
    assert failed.address == ADDRESS
    assert said in failed.message
    for record in (state.root / "slots").iterdir():
        record.unlink()
    assert reconcile(NOTHING, at(NOTHING), allow_destroy=True, kinds=KINDS).exit_code == 0


def test_no_password_is_made_for_a_slot_whose_pipelines_password_is_gone(
    at: At, databases: Databases, state: State
) -> None:
    applied(DELETABLE, at(DELETABLE), databases)
    state.forget("pipeline-shop")
    outcome = reconcile(NOTHING, at(NOTHING), allow_destroy=True, kinds=KINDS)
    assert "the password of pipeline shop is no longer there" in outcome.failed[0].message
    assert not state.kept("pipeline-shop").exists()
