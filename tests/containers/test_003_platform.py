"""lakehouses/003-rest-postgres.yaml in containers, with everything that it has and lineage: deployed, asked and
destroyed as a person does it. tests/kinds/test_003_platform.py has more of it as processes.

The tests share one lakehouse, and follow one another.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from lakehouse.runtimes import processes, scheduling
from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import remains, runtime, sick
from tests.integration.deployment import BIN, Deployment, until, until_well
from tests.integration.test_metadata import Receiver
from tests.kinds.messages import publish
from tests.kinds.monitored import MONITORING, MONITORS, Hook, asked, hook, until_nothing_is_down, until_read

pytestmark = [
    pytest.mark.integration,
    pytest.mark.matrix,
    pytest.mark.timeout(1200),
    # kafka-python leaves sockets open that it could not connect while the broker starts.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

YEARLY = "0 0 1 1 *"
SCHEDULE = {"metadata": YEARLY, "backup": {"at": YEARLY, "to": "backups"}, "maintenance": YEARLY, "drift": "* * * * *"}
INSIDE = {"minio", "postgres", "rest", "trino", "kafka", "connect"}
EVENTS = "lineage.jsonl"


@pytest.fixture(scope="module")
def alerts() -> Iterator[Hook]:
    with hook() as found:
        yield found


@pytest.fixture(scope="module")
def datahub() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def stack(
    engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory, alerts: Hook, datahub: Receiver
) -> Iterator[Deployment]:
    """The file on Docker, with shorter times, who takes alerts and metadata here, and a file for lineage."""
    changes: dict[tuple[str, ...], Any] = {
        ("name",): f"it-platform-{os.getpid()}",
        ("stacks", "local", "runtime"): "docker",
        ("stacks", "local", "monitoring"): MONITORING,
        ("stacks", "local", "metadata"): {"gms": datahub.address},
        ("stacks", "local", "schedule"): SCHEDULE,
        ("stacks", "local", "lineage"): {"file": EVENTS},
        ("pipelines", "events", "commit_seconds"): 2,
    }
    folder = tmp_path_factory.mktemp("platform") / "a lakehouse"
    made = Deployment.make(folder, changes, source="lakehouses/003-rest-postgres.yaml")
    alerts.write(folder / "hook.url")
    made.fetch()
    try:
        said = made.run(str(BIN / "lakehouse"), "deploy", "--yes", timeout=900)
        assert "lineage" in said
        yield made
    finally:
        made.run(str(BIN / "lakehouse"), "destroy", "--yes", code=None)
        said = made.run(str(BIN / "lakehouse"), "destroy", "--data", "--yes", code=None)
        left: list[Any] = [*remains(made, engine), *processes.belonging(made.local.state)]
        left += [scheduling.remains(made.local.state)] if scheduling.remains(made.local.state) else []
        engine.remove_below(made.local.state.root)
        assert left == [], f"destroy leaves nothing:\n{said}"
        kept = sorted(made.local.state.root.rglob("*"))
        assert [each.name for each in kept] == ["metadata.json"], "what DataHub shows"


def lineage(stack: Deployment) -> list[dict[str, Any]]:
    path = stack.folder / EVENTS
    return [json.loads(each) for each in path.read_text().splitlines()] if path.exists() else []


def names(event: dict[str, Any], key: str) -> set[str]:
    return {f"{each['namespace']}:{each['name']}" for each in event.get(key) or ()}


def test_everything_is_up_and_nothing_is_planned(stack: Deployment) -> None:
    until_well(stack, sick)
    assert {each.service for each in runtime(stack).containers if not each.is_job} == INSIDE
    assert {each.name for each in runtime(stack).outside} == {*MONITORS, "victoria-metrics", "lineage"}
    assert "healthy" in stack.lakehouse("status")
    assert stack.planned() == set()
    assert "No changes" in stack.lakehouse("plan")


def test_rows_of_the_topic_are_counted_by_trino(stack: Deployment) -> None:
    some = ({"id": f"e{n}", "at": "2026-11-28T10:00:00Z", "payload": f"p{n % 7}"} for n in range(2000))
    publish(stack, "events", ((each["id"].encode(), json.dumps(each).encode()) for each in some))
    query = "SELECT count(*), count(DISTINCT id) FROM iceberg.raw.events"
    until(lambda: stack.trino(query) == [[2000, 2000]], 180)


def test_lineage_has_the_name_that_datahub_gets(stack: Deployment, datahub: Receiver) -> None:
    stack.trino("CREATE TABLE iceberg.raw.daily AS SELECT payload, count(*) n FROM iceberg.raw.events GROUP BY payload")
    wanted = ({"iceberg:iceberg.raw.events"}, {"iceberg:iceberg.raw.daily"})

    def ended(each: dict[str, Any]) -> bool:
        return each["eventType"] == "COMPLETE" and (names(each, "inputs"), names(each, "outputs")) == wanted

    until(lambda: any(map(ended, lineage(stack))), 60)
    assert (stack.folder / EVENTS).stat().st_mode & 0o777 == 0o600
    stack.trino("DROP TABLE iceberg.raw.daily")
    assert "metadata: ok" in stack.lakehouse("schedule", "run", "metadata")
    urns = {each["entityUrn"] for each in datahub.proposals}
    assert "urn:li:dataset:(urn:li:dataPlatform:iceberg,iceberg.raw.events,PROD)" in urns


def test_everything_is_watched_and_the_page_of_alerts_answers(stack: Deployment) -> None:
    until_read(stack, {"minio", "trino", "kafka", "connect", "lineage", *MONITORS}, {*INSIDE, "lineage"})
    until_nothing_is_down(stack)
    until(lambda: bool(asked(stack, 'lakehouse_pipeline_lag_messages{pipeline="events"}')), 120)  # once a minute
    assert asked(stack, "lakehouse_lineage_received")[0]["value"][1] != "0"
    page = requests.get(f"http://127.0.0.1:{stack.port('vmalert')}/vmalert/groups", timeout=20)
    assert "PipelineFailed" in page.text
    assert requests.get(f"http://127.0.0.1:{stack.port('alertmanager')}/", timeout=20).ok


def test_the_scheduler_runs_what_is_due(stack: Deployment) -> None:
    def last() -> str:
        tasks = json.loads(stack.lakehouse("schedule", "list", "--json"))["tasks"]
        return str(next(each for each in tasks if each["task"] == "drift")["last"])

    until(lambda: last() != "None", 150)
    assert "ok" in stack.lakehouse("schedule", "history", "drift")


def test_doctor_finds_nothing(stack: Deployment) -> None:
    found = stack.lakehouse("doctor")
    assert "containers reach what runs beside them" in found


def test_a_deploy_brings_back_what_takes_lineage(stack: Deployment) -> None:
    [supervisor] = [
        each for each in processes.belonging(stack.local.state) if "supervisord" in " ".join(each.cmdline())
    ]
    for each in (*supervisor.children(recursive=True), supervisor):
        each.kill()
    assert "lineage" in stack.planned()
    stack.deploy()
    until_well(stack, sick)
    assert stack.planned() == set()
