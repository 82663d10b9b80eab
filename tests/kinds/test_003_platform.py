"""lakehouses/003-rest-postgres.yaml as processes: rows from Kafka, metadata out, everything watched, and a way back.

The tests share one lakehouse, and follow one another. In containers tests/containers/test_streams.py has it without
monitoring, test_monitoring.py has monitoring without pipelines, and test_003_rest_postgres.py is a session.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from trino.exceptions import TrinoQueryError

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from tests.attacks.attacked import assert_known
from tests.integration.deployment import Deployment, kill, until, up
from tests.integration.test_metadata import Receiver
from tests.kinds import test_streams
from tests.kinds.messages import publish
from tests.kinds.monitored import MONITORING, Hook, asked, empty_panels, hook
from tests.kinds.shop import COLUMNS, PASSWORD, Shop
from tests.kinds.streamed import SOCKETS

pytestmark = [
    pytest.mark.integration,
    pytest.mark.matrix,
    pytest.mark.timeout(1200),
    SOCKETS,
]

TOPIC = "events"
YEARLY = "0 0 1 1 *"  # so only what a test asks for runs
SCHEDULE = {"metadata": YEARLY, "backup": {"at": YEARLY, "to": "backups", "keep": 2}, "drift": YEARLY}

shop = test_streams.shop  # a PostgreSQL beside the lakehouse


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
    tmp_path_factory: pytest.TempPathFactory, alerts: Hook, datahub: Receiver, shop: Shop
) -> Iterator[Deployment]:
    """The file, with shorter times, who takes alerts and metadata here, and a pipeline that reads a database."""
    raw = ("catalogs", "iceberg", "namespaces", "raw", "tables")
    changes: dict[tuple[str, ...], Any] = {
        ("stacks", "local", "monitoring"): MONITORING,
        ("stacks", "local", "metadata"): {"gms": datahub.address},
        ("stacks", "local", "schedule"): {**SCHEDULE, "maintenance": YEARLY},
        ("pipelines", "events", "commit_seconds"): 2,
        (*raw, "items"): {"columns": COLUMNS},
        ("pipelines", "items"): shop.pipeline("iceberg.raw.items"),
        ("stacks", "local", "credentials"): "credentials.yaml",
    }
    folder = tmp_path_factory.mktemp("003") / "a lakehouse"
    made = Deployment.make(folder, changes, source="lakehouses/003-rest-postgres.yaml")
    alerts.write(folder / "hook.url")
    (folder / "credentials.yaml").write_text(f"pipeline-items: {PASSWORD}\n")
    (folder / "credentials.yaml").chmod(0o600)
    with up(made):
        yield made


def send(stack: Deployment, *messages: bytes) -> None:
    publish(stack, TOPIC, ((None, each) for each in messages))


def events(first: int, count: int) -> list[bytes]:
    some = ({"id": f"e{n}", "at": "2026-11-27T10:00:00Z", "payload": "x"} for n in range(first, first + count))
    return [json.dumps(each).encode() for each in some]


def counted(stack: Deployment) -> list[int]:
    """Rows, and different ones; none while Trino's catalog or store is killed."""
    try:
        [found] = stack.trino("SELECT count(*), count(DISTINCT id) FROM iceberg.raw.events")
    except TrinoQueryError:
        return [0, 0]
    return found


def firing(stack: Deployment, name: str) -> bool:
    return bool(asked(stack, f'ALERTS{{alertname="{name}",alertstate="firing"}}'))


def test_rows_of_kafka_are_read_by_trino_once_each_through_kills(stack: Deployment) -> None:
    send(stack, *events(0, 1000))
    until(lambda: counted(stack) == [1000, 1000], 180)
    for part, killed in enumerate((["connect"], ["kafka"], ["rest", "minio"])):
        send(stack, *events(1000 + part * 300, 300))
        kill(stack, *killed)
    until(lambda: counted(stack)[1] == 1900, 240)
    time.sleep(10)
    assert counted(stack) == [1900, 1900]


def test_every_service_is_read_and_every_panel_shows_something(stack: Deployment) -> None:
    wanted = {"minio", "trino", "kafka", "connect", "node-exporter", "lakehouse-metrics", "alertmanager", "vmalert"}
    until(lambda: wanted <= {each["metric"]["job"] for each in asked(stack, "up == 1")}, 120)
    [database] = asked(stack, "lakehouse_database_up == 1")
    assert database["metric"]["database"] == "iceberg_rest"
    with pytest.raises(Exception, match="404"):
        client(store(stack.local)).head_object(Bucket="iceberg-warehouse", Key="not/there")  # an error of the store
    until(lambda: not empty_panels(stack), 240, why=lambda: "\n".join(empty_panels(stack)))
    [slot] = asked(stack, "lakehouse_pipeline_slot_kept_bytes")
    assert slot["metric"]["pipeline"] == "items"


def test_kafka_and_connect_give_what_is_known_to_whoever_asks(stack: Deployment) -> None:
    assert_known(stack, names=("kafka", "connect"))


def test_a_failed_task_is_an_alert_that_resolves(stack: Deployment, alerts: Hook) -> None:
    until(lambda: not firing(stack, "PipelineFailed"), 180)
    alerts.forget()
    send(stack, b"no JSON")
    until(lambda: alerts.has("firing", "PipelineFailed", pipeline="events"), 240)
    assert "events has failed" in stack.lakehouse("doctor", code=None)
    admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{stack.port('kafka')}")
    admin.delete_records({TopicPartition(TOPIC, 0): -1})  # all that is there: what was good is in the table
    admin.close()
    stack.lakehouse("pipelines", "start", "events")
    until(lambda: alerts.has("resolved", "PipelineFailed", pipeline="events"), 240)
    [before, _] = counted(stack)
    send(stack, *events(before, 100))
    until(lambda: counted(stack) == [before + 100, before + 100], 180)


def test_a_connect_that_hangs_and_is_killed_is_an_alert_that_resolves(stack: Deployment, alerts: Hook) -> None:
    until(lambda: not firing(stack, "ServiceDown"), 180)
    alerts.forget()
    # On a machine with time it is back after a kill before it has been down for long enough.
    psutil.Process(stack.local.runtime.processes()["connect"].pid).suspend()
    until(lambda: alerts.has("firing", "ServiceDown", service="connect"), 120)
    kill(stack, "connect")
    until(lambda: alerts.has("resolved", "ServiceDown", service="connect"), 300)


def test_datahub_gets_every_table_and_a_backup_is_made(stack: Deployment, datahub: Receiver) -> None:
    assert "metadata: ok" in stack.lakehouse("schedule", "run", "metadata")
    urns = {each["entityUrn"] for each in datahub.proposals}
    assert "urn:li:dataset:(urn:li:dataPlatform:iceberg,iceberg.raw.events,PROD)" in urns
    assert "backup: ok" in stack.lakehouse("schedule", "run", "backup")
    assert "is whole" in stack.lakehouse("backup", "verify", "backups")
    assert "maintenance: ok" in stack.lakehouse("schedule", "run", "maintenance")
    rows = counted(stack)
    assert rows[0] == rows[1] > 1900, "compaction keeps each row"


def test_it_is_whole_and_nothing_is_planned(stack: Deployment) -> None:
    assert "healthy" in stack.lakehouse("status")
    assert "drift: ok" in stack.lakehouse("schedule", "run", "drift")
    assert stack.planned() == set()
