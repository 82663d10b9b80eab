"""lakehouses/003-rest-postgres.yaml in containers, as its users work with it, and on bad days.

Pipelines in containers are in test_streams.py, and monitoring in test_monitoring.py; `make matrix` runs both.
docs/replays.md has the session.

The tests follow one another: each leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from trino.exceptions import TrinoUserError

from bootstrap.remote.s3 import client
from bootstrap.session.connect import store
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.locate import locate
from lakehouse.spec import load
from tests.containers.conftest import exposed, remains, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import PROJECT, Deployment, until, until_well

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FILE = "lakehouses/003-rest-postgres.yaml"
KILLED = ("postgres", "rest")
KEYS = {"name": "minioadmin", "value": "-".join(("minioadmin", "123"))}  # what users of the platform have now
CUSTOMER = [[1, "John Doe", "john@example.com"]]


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The file without pipelines, monitoring and schedule, except for ports and names that others may use, and with
    keys of the user's choice.
    """
    changes: dict[tuple[str, ...], Any] = {
        ("pipelines",): None,
        ("stacks", "local", "runtime"): "docker",
        ("stacks", "local", "monitoring"): False,
        ("stacks", "local", "schedule"): None,
        ("name",): f"it-003-{os.getpid()}",
        ("stacks", "local", "container_prefix"): f"it003-{os.getpid()}-",
        ("stacks", "local", "credentials"): "platform.yaml",
    }
    deployment = Deployment.make(tmp_path_factory.mktemp("003") / "a lakehouse", changes, source=FILE)
    chosen = deployment.folder / "platform.yaml"
    chosen.write_text("".join(f"store.{key}: {value}\n" for key, value in KEYS.items()))
    chosen.chmod(0o600)
    yield from up(deployment, engine)


def customers(stack: Deployment) -> list[list[Any]]:
    return stack.trino("SELECT id, name, email FROM iceberg.analytics.customers")


def test_the_file_has_the_ports_and_names_of_the_platform() -> None:
    path = PROJECT / FILE
    local = locate(load(path), "local", path)
    wanted = {"rest": 8181, "minio": 9000, "minio-console": 9001, "postgres": 5432, "trino": 8080}
    assert wanted.items() <= local.ports.items()


def test_a_session_in_trino(stack: Deployment) -> None:
    stack.trino("CREATE SCHEMA iceberg.analytics")
    columns = "id BIGINT, name VARCHAR, email VARCHAR, created_at TIMESTAMP(3) WITH TIME ZONE"
    place = "format = 'PARQUET', location = 's3://iceberg-warehouse/analytics/customers'"
    stack.trino(f"CREATE TABLE iceberg.analytics.customers ({columns}) WITH ({place})")
    stack.trino("INSERT INTO iceberg.analytics.customers VALUES (1, 'John Doe', 'john@example.com', CURRENT_TIMESTAMP)")
    assert customers(stack) == CUSTOMER
    as_of = "SELECT id, name, email FROM iceberg.analytics.customers FOR {}"
    with pytest.raises(TrinoUserError, match="Unsupported type for table version"):
        stack.trino(as_of.format("VERSION AS OF TIMESTAMP '2025-10-19 10:00:00'"))
    [[then]] = stack.trino('SELECT CAST(max(committed_at) AS varchar) FROM iceberg.analytics."customers$snapshots"')
    assert stack.trino(as_of.format(f"TIMESTAMP AS OF TIMESTAMP '{then}'")) == CUSTOMER
    assert ["iceberg"] in stack.trino("SHOW CATALOGS")
    assert ["analytics"] in stack.trino("SHOW SCHEMAS FROM iceberg")


def test_a_session_by_the_catalogs_own_interface(stack: Deployment) -> None:
    base = f"http://127.0.0.1:{stack.port('rest')}/v1"
    assert requests.get(f"{base}/config", timeout=30).json()["endpoints"]
    assert ["raw"] in requests.get(f"{base}/namespaces", timeout=30).json()["namespaces"]
    tables = f"{base}/namespaces/staging/tables"
    assert requests.post(f"{base}/namespaces", json={"namespace": ["staging"]}, timeout=30).ok
    fields = [{"id": 1, "name": "id", "type": "long", "required": False}]
    made = {"name": "t", "schema": {"type": "struct", "fields": fields}}
    assert requests.post(tables, json=made, timeout=30).ok
    assert requests.get(tables, timeout=30).json()["identifiers"] == [{"namespace": ["staging"], "name": "t"}]
    assert requests.get(f"{tables}/t", timeout=30).json()["metadata"]["current-schema-id"] == 0
    assert requests.delete(f"{tables}/t", timeout=30).ok
    assert requests.delete(f"{base}/namespaces/staging", timeout=30).ok


def test_the_store_has_the_keys_of_the_platform(stack: Deployment) -> None:
    names = {each["Name"] for each in client(store(stack.local)).list_buckets()["Buckets"]}
    assert names >= {"iceberg-warehouse", "seatunnel-output", "datahub-storage"}
    assert stack.local.state.secret("store-secret-key") == KEYS["value"]


def test_it_is_whole_and_nothing_is_planned(stack: Deployment, engine: DockerEngine) -> None:
    assert "checks passed" in stack.lakehouse("verify")
    assert stack.planned() == set()
    assert_declared(stack, engine)


def test_no_secret_is_outside_the_mounted_files(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []


def test_a_column_that_trino_added_is_drift(stack: Deployment) -> None:
    stack.trino("ALTER TABLE iceberg.raw.events ADD COLUMN surprise bigint")
    assert "surprise" in stack.lakehouse("drift", code=2)
    stack.trino("ALTER TABLE iceberg.raw.events DROP COLUMN surprise")
    assert "surprise" not in stack.lakehouse("drift", code=2)  # the tables of the session are not in the file


def test_killed_servers_come_back_with_all_they_had(stack: Deployment) -> None:
    seen = {name: each.pid for name, each in runtime(stack).processes().items()}
    for name in KILLED:
        os.kill(seen[name], signal.SIGKILL)
    until(lambda: all(runtime(stack).processes()[name].pid not in (0, seen[name]) for name in KILLED))
    until_well(stack, sick)
    assert customers(stack) == CUSTOMER
    called = [each.name for each in runtime(stack).containers if each.service in KILLED]
    subprocess.run(["docker", "kill", *called], check=True, capture_output=True, timeout=60)
    assert stack.planned() >= {"preflight", *KILLED}
    # The same deploy replaces the password and renames the database and its user.
    password = stack.local.state.secret("postgres-rest")
    stack.lakehouse("secret", "rotate", "postgres-rest")
    stack.change("stacks", "local", "catalogs", "iceberg", to={"kind": "rest", "database": "tables", "user": "writer"})
    stack.deploy()
    assert stack.local.state.secret("postgres-rest") != password
    assert sick(stack) == []
    assert customers(stack) == CUSTOMER
    assert stack.planned() == set()


def test_a_destroy_keeps_the_data_and_with_data_leaves_nothing(stack: Deployment, engine: DockerEngine) -> None:
    stack.destroy()
    assert runtime(stack).processes() == {}
    stack.lakehouse("destroy", "--data", "--yes")
    assert remains(stack, engine) == []
