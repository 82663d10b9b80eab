from __future__ import annotations

from typing import Any

import pytest

from bootstrap.engines.kafka_connect import ConnectWorker, TaskState
from bootstrap.remote.errors import Conflict, Missing


class Answers:
    """Kafka Connect's API: answers by call, in turn; an error is raised."""

    def __init__(self, worker: ConnectWorker, answers: dict[str, list[Any]]) -> None:
        self.calls = list[str]()
        self.answers = answers
        worker._http = self  # type: ignore[assignment]

    def request(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        call = f"{method} {path}"
        self.calls.append(call)
        answers = self.answers.get(call, [None])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def worker() -> ConnectWorker:
    return ConnectWorker("http://127.0.0.1:1", pause=lambda seconds: None)


def test_the_state_of_each_task_counts(worker: ConnectWorker) -> None:
    status = {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "FAILED", "trace": "a\nCaused by: b"}]}
    config = {"name": "x", "lakehouse.pipeline": "orders", "lakehouse.deletable": "true", "tasks.max": "1"}
    Answers(
        worker, {"GET /connectors?expand=info&expand=status": [{"x": {"info": {"config": config}, "status": status}}]}
    )
    found = worker.connectors()["x"]
    assert (found.state, found.pipeline, found.deletable) == ("RUNNING", "orders", True)
    assert [each.why for each in found.failures] == ["b"]
    assert "name" not in found.config


@pytest.mark.parametrize(
    ("trace", "why"),
    [("", ""), ("a: b\n\tat c", "a: b"), ("a\n\tat x\nCaused by: b\n\tat y\nCaused by: c: d\n\t... 3 more", "c: d")],
)
def test_the_first_cause_of_a_failure_is_in_one_line(trace: str, why: str) -> None:
    assert TaskState(0, "FAILED", trace).why == why


def test_a_change_is_asked_for_again_while_connect_spreads_its_work(worker: ConnectWorker) -> None:
    busy = Conflict("rebalance")
    at = Answers(worker, {"PUT /connectors/x/config": [busy, busy, None]})
    worker.put("x", {"a": "b"})
    assert at.calls == ["PUT /connectors/x/config"] * 3


def test_one_that_stays_busy_is_an_error(worker: ConnectWorker) -> None:
    Answers(worker, {"PUT /connectors/x/stop": [Conflict("rebalance")]})
    with pytest.raises(Conflict):
        worker.stop("x")


def test_a_connector_goes_with_what_it_has_read_to(worker: ConnectWorker) -> None:
    at = Answers(worker, {})
    worker.remove("x")
    assert at.calls == ["PUT /connectors/x/stop", "DELETE /connectors/x/offsets", "DELETE /connectors/x"]


def test_one_that_is_gone_is_removed(worker: ConnectWorker) -> None:
    Answers(worker, {"PUT /connectors/x/stop": [Missing("no")]})
    worker.remove("x")
