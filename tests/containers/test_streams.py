"""Pipelines in containers: lakehouses/003-rest-postgres.yaml, whose rows are Kafka's and changes of PostgreSQL, by
Kafka Connect and by SeaTunnel. Trino reads them, through kills. What its schedule runs is here too.
tests/kinds/test_streams.py and test_003_platform.py have the same on processes, and more.

The tests share one lakehouse, and follow one another.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import exposed, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import Deployment, kill, until, until_well
from tests.integration.test_metadata import Receiver
from tests.kinds.messages import publish
from tests.kinds.shop import COLUMNS, PASSWORD, Shop, open_shop
from tests.kinds.slotted import (
    assert_goes_with_its_pipeline,
    assert_goes_with_the_data,
    assert_named_without_pipelines_until_both_keys,
)
from tests.kinds.streamed import (
    SOCKETS,
    assert_goes_on_after_a_lost_end,
    assert_goes_on_after_a_stop,
    assert_once_through_kills,
    status,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.matrix,
    pytest.mark.timeout(1200),
    SOCKETS,
]

FILE = "lakehouses/003-rest-postgres.yaml"
TABLES = ("catalogs", "iceberg", "namespaces", "raw", "tables")
EVENTS = {"from": {"topic": "events"}, "to": "iceberg.raw.events", "commit_seconds": 2, "deletable": True}


YEARLY = "0 0 1 1 *"  # so only what a test asks for runs
BACKUP = {"at": YEARLY, "to": "backups", "keep": 2}
SCHEDULE = {"metadata": YEARLY, "backup": BACKUP, "maintenance": YEARLY, "drift": YEARLY}


@pytest.fixture(scope="module")
def datahub() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory, datahub: Receiver) -> Iterator[Deployment]:
    """The file without monitoring, with a commit every two seconds, and with who takes metadata here."""
    changes: dict[tuple[str, ...], Any] = {
        ("stacks", "local", "runtime"): "docker",
        ("stacks", "local", "monitoring"): False,
        ("stacks", "local", "schedule"): SCHEDULE,
        ("stacks", "local", "metadata"): {"gms": datahub.address},
        ("name",): f"it-streams-{os.getpid()}",
        ("stacks", "local", "container_prefix"): f"streams-{os.getpid()}-",
        ("pipelines", "events"): EVENTS,
    }
    made = Deployment.make(tmp_path_factory.mktemp("streams") / "a lakehouse", changes, source=FILE)
    made.fetch()
    yield from up(made, engine)


@pytest.fixture(scope="module")
def shop(engine: DockerEngine, stack: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A PostgreSQL of this machine, at an address that it has in Docker, and keeps when the stack's network is gone."""
    bridge = engine.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    with open_shop(tmp_path_factory.mktemp("shop"), bridge) as made:
        yield made


def send(stack: Deployment, first: int, count: int, topic: str = "events") -> None:
    some = [{"id": f"e{n}", "at": "2026-11-27T10:00:00Z", "payload": f"p{n % 7}"} for n in range(first, first + count)]
    publish(stack, topic, ((each["id"].encode(), json.dumps(each).encode()) for each in some))


def counted(stack: Deployment, table: str = "events") -> list[int]:
    """Rows, and different keys."""
    [found] = stack.trino(f"SELECT count(*), count(DISTINCT id) FROM iceberg.raw.{table}")
    return found


def test_it_is_whole_and_nothing_is_planned(stack: Deployment, engine: DockerEngine) -> None:
    assert {"kafka", "connect"} <= runtime(stack).processes().keys()
    assert sick(stack) == []
    assert stack.planned() == set()
    assert "No changes" in stack.lakehouse("plan")
    assert_declared(stack, engine)


def test_rows_of_a_topic_are_read_by_trino(stack: Deployment) -> None:
    send(stack, 0, 1000)
    until(lambda: counted(stack) == [1000, 1000], 120)
    query = "SELECT id, payload, CAST(at AS varchar) FROM iceberg.raw.events WHERE id = 'e5'"
    assert stack.trino(query) == [["e5", "p5", "2026-11-27 10:00:00.000000 UTC"]]
    until(lambda: status(stack)["events"]["lag"] == 0, 60)
    assert status(stack)["events"]["state"] == "running"
    assert "events" in stack.lakehouse("pipelines", "list")
    stack.lakehouse("pipelines", "logs", "events")
    assert "1 running" in stack.lakehouse("doctor", code=None)


@pytest.mark.parametrize("killed", [["kafka"], ["connect"], ["kafka", "connect"]], ids="+".join)
def test_each_row_is_there_once_through_kills(stack: Deployment, killed: list[str]) -> None:
    assert_once_through_kills(stack, lambda first, count: send(stack, first, count), lambda: counted(stack), killed)


def test_a_stopped_pipeline_goes_on_where_it_was(stack: Deployment) -> None:
    assert_goes_on_after_a_stop(stack, "events", lambda first, count: send(stack, first, count), lambda: counted(stack))


def test_a_pipeline_goes_on_after_kafka_has_forgotten_the_end_of_its_commit(
    stack: Deployment, engine: DockerEngine
) -> None:
    @contextmanager
    def kafka_down() -> Iterator[Path]:
        container = engine.client.containers.get(engine.seen(stack.local.state)["kafka"].name)
        [volume] = [each for each in container.attrs["Mounts"] if each["Type"] == "volume"]
        container.stop()
        yield Path(volume["Source"]) / "log"
        container.start()

    assert_goes_on_after_a_lost_end(
        stack, "events", lambda first, count: send(stack, first, count), lambda: counted(stack), kafka_down
    )


def deploy_changes(stack: Deployment, shop: Shop) -> None:
    """With the pipeline of the shop's changes, its table and its password."""
    credentials = stack.folder / "credentials.yaml"
    credentials.write_text(f"pipeline-items: {PASSWORD}\n")
    credentials.chmod(0o600)
    stack.change("stacks", "local", "credentials", to="credentials.yaml")
    stack.change(*TABLES, "items", to={"columns": COLUMNS})
    stack.change("pipelines", "items", to=shop.pipeline("iceberg.raw.items"))
    stack.deploy()


def test_changes_of_a_database_through_kills(stack: Deployment, shop: Shop) -> None:
    shop.sql("INSERT INTO items SELECT n, 'w' || n, n + 0.25, now() FROM generate_series(1, 50) n")
    deploy_changes(stack, shop)
    until(lambda: counted(stack, "items") == [50, 50], 120)
    shop.sql("UPDATE items SET word = 'new', price = 9.99 WHERE id = 1")
    shop.sql("DELETE FROM items WHERE id = 2")
    until(lambda: counted(stack, "items") == [52, 50], 120)
    query = "SELECT _cdc.op, id, word, CAST(price AS varchar) FROM iceberg.raw.items WHERE id IN (1, 2)"
    found = stack.trino(f"{query} ORDER BY id, _cdc.offset")
    assert found[:2] == [["I", 1, "w1", "1.25"], ["U", 1, "new", "9.99"]]
    assert [each[:2] for each in found[2:]] == [["I", 2], ["D", 2]]
    for part, killed in enumerate((["kafka"], ["connect"], ["kafka", "connect"])):
        first = 1000 + part * 200
        shop.sql(f"INSERT INTO items SELECT n, 'k', 1, now() FROM generate_series({first}, {first + 199}) n")
        kill(stack, *killed)
    until(lambda: counted(stack, "items")[1] == 650, 240)
    time.sleep(10)
    assert counted(stack, "items") == [652, 650]


def test_rows_by_seatunnel_through_kills(stack: Deployment) -> None:
    columns = {"id": "string", "at": "timestamptz", "payload": "string"}
    stack.change(*TABLES, "copied", to={"columns": columns})
    pipeline = {"engine": "seatunnel", "from": {"topic": "copied"}, "to": "iceberg.raw.copied", "commit_seconds": 2}
    stack.change("pipelines", "copied", to=pipeline)
    send(stack, 0, 500, "copied")
    stack.fetch()
    stack.deploy()
    until(lambda: counted(stack, "copied")[1] == 500, 240)
    for part, killed in enumerate((["seatunnel"], ["kafka"], ["kafka", "seatunnel"]) * 2):
        send(stack, 500 + part * 100, 100, "copied")
        time.sleep(part * 0.9)  # at another moment of a job each
        kill(stack, *killed)
    until(lambda: counted(stack, "copied")[1] == 1100, 400)
    until(lambda: status(stack)["copied"]["lag"] == 0, 120)
    assert counted(stack, "copied") == [1100, 1100]


def test_what_is_scheduled_runs(stack: Deployment, datahub: Receiver) -> None:
    assert "metadata: ok" in stack.lakehouse("schedule", "run", "metadata")
    urns = {each["entityUrn"] for each in datahub.proposals}
    assert "urn:li:dataset:(urn:li:dataPlatform:iceberg,iceberg.raw.events,PROD)" in urns
    assert "backup: ok" in stack.lakehouse("schedule", "run", "backup")
    assert "is whole" in stack.lakehouse("backup", "verify", "backups")
    before = counted(stack)
    assert "maintenance: ok" in stack.lakehouse("schedule", "run", "maintenance")
    assert counted(stack) == before, "compaction keeps each row"
    assert "drift: ok" in stack.lakehouse("schedule", "run", "drift")


def test_no_secret_is_outside_the_mounted_files(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []
    at = f"http://127.0.0.1:{stack.port('connect')}/connectors?expand=info&expand=status"
    shown = requests.get(at, timeout=30).text
    kept = [each.read_text() for each in (stack.local.state.root / "secrets").iterdir() if each.is_file()]
    assert PASSWORD in kept
    assert not [each for each in kept if each in shown]


def test_a_pipeline_goes_with_both_keys_and_its_slot_with_it(stack: Deployment, shop: Shop) -> None:
    assert_goes_with_its_pipeline(stack, shop, {"events": EVENTS})
    stack.change("stacks", "local", "credentials", to=None)  # the password of a pipeline that is gone is refused


def test_messages_rows_and_places_outlive_a_destroy(stack: Deployment) -> None:
    [before, _] = counted(stack)
    stack.lakehouse("pipelines", "stop", "events")
    send(stack, before, 100)
    stack.destroy()
    stack.deploy()
    until_well(stack, sick)
    assert stack.planned() == set()
    assert status(stack)["events"]["state"] == "stopped"
    stack.lakehouse("pipelines", "start", "events")
    until(lambda: counted(stack) == [before + 100, before + 100], 120)


def test_a_slot_that_nobody_reads_is_named_and_goes_with_both_keys_or_the_data(stack: Deployment, shop: Shop) -> None:
    """The last test: of the lakehouse only the list of tables is left that were published."""
    deploy_changes(stack, shop)
    until(lambda: shop.slots == "1", 120)
    assert_named_without_pipelines_until_both_keys(stack, shop)
    stack.deploy()
    assert_goes_with_the_data(stack, shop)
    assert [each.name for each in stack.local.state.root.iterdir()] == ["metadata.json"]
