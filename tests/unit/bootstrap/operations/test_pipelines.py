from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.engines.kafka_connect import Connector, TaskState
from bootstrap.engines.seatunnel import SeaTunnelJob
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
        pipelines = {each: SimpleNamespace(engine="connect") for each in ("shop", "orders")} | {
            each: SimpleNamespace(engine="seatunnel") for each in ("files", "newer")
        }

    class path:  # noqa: N801
        name = "lakehouse.yaml"

    class local:  # noqa: N801
        class runtime:  # noqa: N801
            @staticmethod
            def log(service: str, lines: int) -> str:
                if service == "seatunnel":
                    return "pipeline files has failed: no\npipeline files_2 has failed"
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
    with pytest.raises(
        UsageError, match='has no pipeline "shp"; it has: shop, orders, files, newer. Did you mean "shop"'
    ):
        pipelines.stop(TARGET, "shp")
    with pytest.raises(LakehouseError, match="pipeline orders does not exist yet"):
        pipelines.stop(TARGET, "orders")


class Server:
    """SeaTunnel's server, with one pipeline."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def jobs(self) -> dict[str, SeaTunnelJob]:
        return {"files": SeaTunnelJob("files", "FAILED", "first\nCaused by: second")}

    def start(self, name: str) -> None:
        self.calls.append(f"start {name}")

    def stop(self, name: str) -> None:
        self.calls.append(f"stop {name}")


@pytest.fixture
def seatunnel(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(pipelines, "server", lambda target: made)
    return made


def test_a_pipeline_is_stopped_and_started_by_its_own_engine(worker: Worker, seatunnel: Server) -> None:
    pipelines.stop(TARGET, "files")
    pipelines.start(TARGET, "files")
    assert seatunnel.calls == ["stop files", "start files"]
    assert worker.calls == []


def test_the_log_of_seatunnel_has_the_error_and_only_its_lines(seatunnel: Server) -> None:
    said = list(pipelines.traces(TARGET, "files"))
    assert said == [
        "files has failed, at the latest:",
        "  first",
        "  Caused by: second",
        "pipeline files has failed: no",
    ]


def test_a_pipeline_that_the_server_does_not_have_yet(seatunnel: Server) -> None:
    with pytest.raises(LakehouseError, match="pipeline newer does not exist yet. `lakehouse deploy` makes it"):
        pipelines.start(TARGET, "newer")
