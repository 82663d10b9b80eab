"""A Trino with workers, in containers: a store, a catalog, a coordinator and two workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, exposed, runtime, sick, up
from tests.containers.listening import assert_declared
from tests.integration import trino_cluster as cluster
from tests.integration.deployment import Deployment, until, until_well

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    changes = {
        ("name",): f"it-workers-{os.getpid()}",
        ("stacks", "local", "catalogs"): {"lake": "rest"},
        ("engines",): {"trino": cluster.TRINO},
        **DOCKER,
    }
    made = Deployment.make(tmp_path_factory.mktemp("workers") / "a lakehouse", changes)
    made.fetch()
    yield from up(made, engine)


def test_a_query_runs_on_workers_only(stack: Deployment, engine: DockerEngine) -> None:
    cluster.until_complete(stack)
    cluster.works_on_workers_only(stack)
    assert_declared(stack, engine)


def test_no_secret_is_outside_the_mounted_files(stack: Deployment, engine: DockerEngine) -> None:
    assert exposed(stack, engine) == []


def test_a_query_ends_although_one_of_its_workers_is_killed(stack: Deployment) -> None:
    cluster.a_query_outlives_a_worker(stack, lambda name: kill(stack, name))


def test_a_query_waits_in_its_group(stack: Deployment) -> None:
    cluster.a_group_makes_queries_wait(stack)


def test_all_is_well_after_that_and_nothing_is_planned(stack: Deployment) -> None:
    until_well(stack, sick)
    assert "checks passed" in stack.lakehouse("verify")
    assert stack.planned() == set()


def kill(stack: Deployment, name: str) -> None:
    """Kill a container's process, and wait until Docker has started it again."""
    before = runtime(stack).processes()[name].pid
    os.kill(before, signal.SIGKILL)
    until(lambda: runtime(stack).processes()[name].pid not in (0, before))
