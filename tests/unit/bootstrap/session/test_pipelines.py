from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from bootstrap.engines.kafka_connect import Connector, TaskState
from bootstrap.engines.kafka_topics import Partition
from bootstrap.engines.replication import SourceDatabase
from bootstrap.engines.seatunnel import SeaTunnelJob
from bootstrap.remote.errors import Unreachable
from bootstrap.session.pipelines import (
    FAILED,
    FINISHED,
    MISSING,
    RUNNING,
    STARTING,
    STOPPED,
    UNKNOWN,
    PipelineStatus,
    by_seatunnel,
    described,
    families,
    state_of,
    states,
    together,
)
from lakehouse.text.metrics import text
from tests.unit.lakehouse.kinds.pipelines.streaming import ORDERS, lakehouse


def connector(state: str, *tasks: str, name: str = "a-sink") -> Connector:
    config = {"lakehouse.pipeline": "orders", "topics": "orders"}
    return Connector(name, config, state, tuple(TaskState(n, each, "why") for n, each in enumerate(tasks)))


@pytest.mark.parametrize(
    ("own", "state", "problem"),
    [
        ([], MISSING, ""),
        ([connector("RUNNING", "RUNNING")], RUNNING, ""),
        ([connector("RUNNING", "FAILED")], FAILED, "a-sink, task 0: why"),
        ([connector("RUNNING", "RUNNING"), connector("RUNNING", "RUNNING", "FAILED")], FAILED, "a-sink, task 1: why"),
        ([connector("FAILED")], FAILED, "a-sink cannot start"),
        ([connector("STOPPED")], STOPPED, ""),
        ([connector("RUNNING", "RUNNING"), connector("PAUSED", "PAUSED")], STOPPED, ""),
        ([connector("RUNNING")], STARTING, ""),
        ([connector("RUNNING", "UNASSIGNED")], STARTING, ""),
    ],
)
def test_tasks_say_the_state(own: list[Connector], state: str, problem: str) -> None:
    assert state_of(own) == (state, problem)


class Worker:
    def __init__(self, offsets: list[dict[str, Any]]) -> None:
        self._offsets = offsets

    def connectors(self) -> dict[str, Connector]:
        return {"orders-sink": connector("RUNNING", "RUNNING", name="orders-sink")}

    def offsets(self, name: str) -> list[dict[str, Any]]:
        return self._offsets


def at(partition: int, offset: int) -> dict[str, Any]:
    return {
        "partition": {"kafka_topic": "orders", "kafka_partition": partition},
        "offset": {"kafka_offset": offset},
    }


def lag(offsets: list[dict[str, Any]], found: int | Exception | None) -> tuple[int | None, Mapping[Partition, int]]:
    """The lag, and the places after which messages were asked for."""
    asked: dict[Partition, int] = {}

    def after(topic: str, places: Mapping[Partition, int]) -> int | None:
        assert topic == "orders"
        asked.update(places)
        if isinstance(found, Exception):
            raise found
        return found

    worker: Any = Worker(offsets)
    orders, shop = states(lakehouse().pipelines, worker, after, lambda name, source: None)
    assert (shop.state, shop.lag) == (MISSING, None)
    return orders.lag, asked


def test_lag_is_what_the_table_does_not_have() -> None:
    assert lag([at(0, 90), at(1, 7)], 10) == (10, {("orders", 0): 90, ("orders", 1): 7})
    assert lag([], 50_000) == (50_000, {}), "it has never committed"
    assert lag([at(0, 90)], Unreachable("Kafka", "127.0.0.1:1", "down")) == (None, {("orders", 0): 90})


def test_what_a_database_keeps_is_asked_for_the_pipeline_that_reads_it() -> None:
    config = {"lakehouse.pipeline": "shop", "slot.name": "s", "publication.name": "s", "database.port": "5432"}
    config |= {f"database.{each}": each for each in ("hostname", "dbname", "user")}

    class Reads:
        def connectors(self) -> dict[str, Connector]:
            return {"shop-source": Connector("shop-source", config, "RUNNING", (TaskState(0, "RUNNING"),))}

    worker: Any = Reads()
    asked: list[tuple[str, str]] = []

    def keeps(name: str, source: SourceDatabase) -> int:
        asked.append((name, source.slot))
        return 7

    orders, shop = states(lakehouse().pipelines, worker, lambda topic, places: 0, keeps)
    assert (orders.kept, shop.kept, asked) == (None, 7, [("shop", "s")])


def test_metrics_have_only_what_is_known() -> None:
    found = [
        PipelineStatus("a", "connect", "topic a", "lake.raw.a", FAILED, None, "why"),
        PipelineStatus("b", "connect", "topic b", "lake.raw.b", STOPPED, 5, kept=9),
    ]
    lines = [line for line in text(families(found)) if not line.startswith("#")]
    assert lines == [
        'lakehouse_pipeline_failed{pipeline="a"} 1.0',
        'lakehouse_pipeline_failed{pipeline="b"} 0.0',
        'lakehouse_pipeline_lag_messages{pipeline="b"} 5.0',
        'lakehouse_pipeline_slot_kept_bytes{pipeline="b"} 9.0',
    ]


@pytest.mark.parametrize(
    ("job", "state", "problem"),
    [
        (None, MISSING, ""),
        (SeaTunnelJob("orders", "RUNNING"), RUNNING, ""),
        (SeaTunnelJob("orders", "RUNNING", "it failed before"), FAILED, "it failed before"),
        (SeaTunnelJob("orders", "FINISHED"), FINISHED, ""),
        (SeaTunnelJob("orders", "STOPPED"), STOPPED, ""),
        (SeaTunnelJob("orders", "SCHEDULED"), STARTING, ""),
        (SeaTunnelJob("orders", "FAILED", "x\nCaused by: why"), FAILED, "why"),
        (SeaTunnelJob("orders", "UNKNOWABLE", "no such file"), FAILED, "no such file"),
    ],
)
def test_the_state_of_a_job_of_seatunnel(job: SeaTunnelJob | None, state: str, problem: str) -> None:
    given = lakehouse({"orders": {**ORDERS, "engine": "seatunnel"}}).pipelines
    [found] = by_seatunnel(given, {} if job is None else {"orders": job}, lambda name, topic: 7)
    assert (found.name, found.engine, found.state, found.problem) == ("orders", "seatunnel", state, problem)
    assert (found.lag, found.kept) == (None if job is None else 7, None)


def test_what_reads_no_topic_has_no_lag() -> None:
    source = {"files": {"path": "/in"}}
    given = lakehouse({"files": {"engine": "seatunnel", "from": source, "to": "lake.raw.orders"}}).pipelines
    [found] = by_seatunnel(given, {"files": SeaTunnelJob("files", "RUNNING")}, lambda name, topic: 7)
    assert found.lag is None


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"topic": "orders"}, "topic orders"),
        ({"jdbc": {"url": "jdbc:mysql://db/shop", "user": "a", "table": "shop.x"}}, "jdbc:mysql://db/shop shop.x"),
        ({"jdbc": {"url": "jdbc:mysql://db/shop", "user": "a", "query": "x"}}, "jdbc:mysql://db/shop by a query"),
        ({"files": {"path": "/in"}}, "files of /in"),
        ({"http": {"url": "http://a/b"}}, "http://a/b"),
        ({"config": "a.conf"}, "the job in a.conf"),
    ],
)
def test_a_source_in_a_few_words(source: dict[str, Any], said: str) -> None:
    [found] = lakehouse({"one": {"engine": "seatunnel", "from": source, "to": "lake.raw.orders"}}).pipelines.values()
    assert described(found) == said


SEATUNNEL = {"engine": "seatunnel", "from": {"topic": "more"}, "to": "lake.raw.words"}


def test_an_engine_that_does_not_answer_hides_no_pipelines_of_another() -> None:
    both = lakehouse({"more": SEATUNNEL, "orders": ORDERS}).pipelines

    def silent(own: Mapping[str, Any]) -> Iterable[PipelineStatus]:
        raise Unreachable("SeaTunnel", "http://127.0.0.1:8088", "refused")

    def answers(own: Mapping[str, Any]) -> Iterable[PipelineStatus]:
        return [PipelineStatus(name, each.engine, "", each.to, RUNNING, 3) for name, each in own.items()]

    found = together(both, {"connect": answers, "seatunnel": silent})
    assert [(each.name, each.state, each.lag) for each in found] == [("more", UNKNOWN, None), ("orders", RUNNING, 3)]
    assert "SeaTunnel" in found[0].problem
    metrics = "\n".join(text(families(found)))
    assert 'lakehouse_pipeline_lag_messages{pipeline="orders"} 3' in metrics
    assert '"more"' not in metrics, "neither failed nor well"
    with pytest.raises(Unreachable):
        together(both, {"connect": silent, "seatunnel": silent})
    with pytest.raises(Unreachable):
        together(lakehouse({"more": SEATUNNEL}).pipelines, {"connect": answers, "seatunnel": silent})
    assert together({}, {"connect": silent, "seatunnel": silent}) == []
