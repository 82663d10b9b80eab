"""Hive Metastore, PostgreSQL, Trino and Spark's Thrift server in containers: deployed, checked, killed, destroyed.

The tests follow one another: each leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from lakehouse import packages
from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, exposed, remains, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import ROW, Deployment, a_row, read, until, until_well

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(600)]  # in CI Hive runs as processes


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    changes = {
        ("name",): f"it-hive-{os.getpid()}",
        ("stacks", "local", "catalogs"): {"lake": "hive"},
        ("engines",): {
            "trino": {"memory": "1g"},
            "spark": {"workers": 1, "cores": 1, "connect": False, "thrift": True},
        },
        **DOCKER,
    }
    yield from up(Deployment.make(tmp_path_factory.mktemp("hive") / "a lakehouse", changes), engine)


def test_it_is_whole_and_nothing_is_planned(stack: Deployment, engine: DockerEngine) -> None:
    assert "checks passed" in stack.lakehouse("verify")
    assert stack.planned() == set()
    assert_declared(stack, engine)


BEELINE = "org.apache.hive.beeline.BeeLine"
QUERY = "SELECT concat('rows ', count(*)) FROM lake.silver.bad_days"


def _asked(address: str) -> tuple[str, ...]:
    return ("-u", f"jdbc:hive2://{address}/default", "-n", "user", "--silent=true", "-e", QUERY)


def test_beeline_asks_from_inside_a_container_and_from_this_machine(stack: Deployment, engine: DockerEngine) -> None:
    with a_row(stack):
        container = engine.client.containers.get(engine.seen(stack.local.state)["spark-thrift"].name)
        command = ["java", "-cp", "/opt/spark/jars/*", BEELINE, *_asked("spark-thrift:10000")]
        code, output = container.exec_run(command)
        assert (code, "rows 1" in str(output)) == (0, True), output
        jars = f"{packages.location('spark-4.1')}/jars/*"
        address = f"127.0.0.1:{stack.port('spark-thrift')}"
        assert "rows 1" in stack.run(str(packages.java(21)), "-cp", jars, BEELINE, *_asked(address))


def test_no_secret_is_outside_the_mounted_files(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []


def test_killed_servers_come_back_with_all_they_had(stack: Deployment) -> None:
    with a_row(stack):
        seen = {name: runtime(stack).processes()[name].pid for name in ("postgres", "hive")}
        for pid in seen.values():
            os.kill(pid, signal.SIGKILL)
        until(lambda: all(runtime(stack).processes()[name].pid not in (0, pid) for name, pid in seen.items()))
        until_well(stack, sick)
        assert read(stack) == ROW


def test_a_destroy_keeps_the_data_and_with_data_leaves_nothing(stack: Deployment, engine: DockerEngine) -> None:
    stack.destroy()
    assert runtime(stack).processes() == {}
    stack.lakehouse("destroy", "--data", "--yes")
    assert remains(stack, engine) == []
