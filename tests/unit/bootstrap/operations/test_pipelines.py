from __future__ import annotations

from typing import Any

import pytest

from bootstrap.engines.kafka_connect import Connector, TaskState
from bootstrap.operations import pipelines
from lakehouse.errors import LakehouseError, UsageError


class Worker:
    """A worker with two connectors of one pipeline, whose sink is stopped and whose source failed."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def connectors(self) -> dict[str, Connector]:
        own = {"lakehouse.pipeline": "shop"}
        return {
            "shop-sink": Connector("shop-sink", own, "STOPPED"),
            "shop-source": Connector("shop-source", own, "RUNNING", (TaskState(0, "FAILED", "first\nsecond"),)),
            "others": Connector("others", {}, "RUNNING"),
        }

    def __getattr__(self, name: str) -> Any:
        return lambda connector: self.calls.append(f"{name} {connector}")


class Target:
    class lakehouse:  # noqa: N801 - an attribute of the real one
        pipelines = dict.fromkeys(("shop", "orders"))

    class path:  # noqa: N801
        name = "lakehouse.yaml"

    class local:  # noqa: N801
        class runtime:  # noqa: N801
            @staticmethod
            def log(service: str, lines: int) -> str:
                return "about shop-sink\nabout others"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(pipelines, "worker", lambda target: made)
    return made


TARGET: Any = Target()


def test_a_start_resumes_what_is_stopped_and_restarts_what_failed_sources_first(worker: Worker) -> None:
    pipelines.start(TARGET, "shop")
    assert worker.calls == ["restart shop-source", "resume shop-sink"]


def test_a_stop_stops_all_of_it(worker: Worker) -> None:
    pipelines.stop(TARGET, "shop")
    assert worker.calls == ["stop shop-source", "stop shop-sink"]


def test_the_log_has_the_whole_error_and_only_lines_about_it(worker: Worker) -> None:
    said = list(pipelines.traces(TARGET, "shop"))
    assert said == ["shop-source, task 0 has failed:", "  first", "  second", "about shop-sink"]


def test_names_that_nobody_knows(worker: Worker) -> None:
    with pytest.raises(UsageError, match='has no pipeline "shp"; it has: shop, orders. Did you mean "shop"'):
        pipelines.stop(TARGET, "shp")
    with pytest.raises(LakehouseError, match="pipeline orders does not exist yet"):
        pipelines.stop(TARGET, "orders")
