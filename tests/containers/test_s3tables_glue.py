"""SeaweedFS with its own tables, and Glue, in containers: deployed, checked, killed, destroyed.

The tests follow one another: each leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests import moto
from tests.containers.conftest import DOCKER, exposed, remains, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import Deployment, until, until_well
from tests.integration.findings import doctor, errors

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]  # in CI both run as processes

TABLE = {"t": {"columns": {"a": "int", "b": "string"}}}
KEYS = {"name": "someone-of-moto", "value": "-".join(("moto", "takes", "any"))}
TABLES = ("tables.plain.t", "elsewhere.plain.t")


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    # Glue is moto's server at this machine's address on Docker's bridge, for as long as these tests last: an endpoint
    # outside the stack has one address, for containers and for this machine, so loopback cannot be it. No network card
    # has that address, and the server has nothing but what the tests put there. A container of moto's would be in no
    # network of the stack, which the deploy makes, and no registry has an image of the version that other tests use.
    gateway = engine.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    with moto.running(host=gateway) as url:
        changes = {
            ("name",): f"it-tables-{os.getpid()}",
            ("buckets",): {"warehouse": {}, "tables": {}},
            ("catalogs",): {
                "tables": {"location": "s3://tables", "namespaces": {"plain": {"tables": TABLE}}},
                "elsewhere": {"location": "s3://warehouse/elsewhere", "namespaces": {"plain": {"tables": TABLE}}},
            },
            ("access",): {},
            ("engines",): {
                "trino": {"memory": "1g"},
                "spark": {"workers": 1, "cores": 2, "memory": "512m", "driver_memory": "700m"},
            },
            ("stacks", "local", "store"): "seaweedfs",
            ("stacks", "local", "credentials"): "credentials.yaml",
            ("stacks", "local", "catalogs"): {
                "tables": "s3tables",
                "elsewhere": {"kind": "glue", "region": "eu-west-1", "endpoint": url},
            },
            **DOCKER,
        }
        made = Deployment.make(tmp_path_factory.mktemp("tables") / "a lakehouse", changes)
        _private(made.folder / "credentials.yaml", {"glue": KEYS})
        yield from up(made, engine)


def _private(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def test_it_is_whole_and_nothing_is_planned(stack: Deployment, engine: DockerEngine) -> None:
    assert "checks passed" in stack.lakehouse("verify")
    assert "No changes." in stack.lakehouse("plan")
    assert stack.planned() == set()
    assert errors(doctor(stack, code=0)) == set()
    assert_declared(stack, engine)


def test_no_secret_is_outside_the_mounted_files(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []


def test_a_column_that_spark_added_is_drift(stack: Deployment) -> None:
    for verb, code in (("ADD COLUMN surprise bigint", 2), ("DROP COLUMN surprise", 0)):
        sql = "; ".join(f"ALTER TABLE {table} {verb}" for table in TABLES)
        stack.lakehouse("sql", "--engine", "spark", "-e", sql)
        found = stack.lakehouse("drift", code=code)
        assert all((f"column {table}.surprise" in found) == bool(code) for table in TABLES)


def test_a_killed_store_comes_back_with_all_that_it_had(stack: Deployment) -> None:
    for table in TABLES:
        stack.trino(f"INSERT INTO {table} VALUES (1, 'here before')")
    pid = runtime(stack).processes()["seaweedfs"].pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: runtime(stack).processes()["seaweedfs"].pid not in (0, pid))
    until_well(stack, sick)
    for table in TABLES:
        assert stack.trino(f"SELECT * FROM {table}") == [[1, "here before"]]


def test_a_destroy_keeps_the_data_and_with_data_leaves_nothing(stack: Deployment, engine: DockerEngine) -> None:
    stack.destroy()
    assert runtime(stack).processes() == {}
    stack.lakehouse("destroy", "--data", "--yes")
    assert remains(stack, engine) == []
