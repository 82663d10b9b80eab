"""Hive Metastore and its PostgreSQL in containers, with Trino: deployed, checked, killed, destroyed.

The tests follow one another: each leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, exposed, remains, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration.deployment import ROW, Deployment, a_row, read, until

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(600)]  # in CI Hive runs as processes


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    changes = {
        ("name",): f"it-hive-{os.getpid()}",
        ("stacks", "local", "catalogs"): {"lake": "hive"},
        ("engines",): {"trino": {"memory": "1g"}},
        **DOCKER,
    }
    yield from up(Deployment.make(tmp_path_factory.mktemp("hive") / "a lakehouse", changes), engine)


def test_it_is_whole_and_nothing_is_planned(stack: Deployment, engine: DockerEngine) -> None:
    assert "checks passed" in stack.lakehouse("verify")
    assert stack.planned() == set()
    assert_declared(stack, engine)


def test_no_secret_is_outside_the_mounted_files(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []


def test_killed_servers_come_back_with_all_they_had(stack: Deployment) -> None:
    with a_row(stack):
        seen = {name: runtime(stack).processes()[name].pid for name in ("postgres", "hive")}
        for pid in seen.values():
            os.kill(pid, signal.SIGKILL)
        until(lambda: all(runtime(stack).processes()[name].pid not in (0, pid) for name, pid in seen.items()))
        until(lambda: not sick(stack))
        assert read(stack) == ROW


def test_a_destroy_keeps_the_data_and_with_data_leaves_nothing(stack: Deployment, engine: DockerEngine) -> None:
    stack.cdktf("destroy", "local", "--auto-approve")
    assert runtime(stack).processes() == {}
    stack.lakehouse("destroy", "--data", "--yes")
    assert remains(stack, engine) == []
