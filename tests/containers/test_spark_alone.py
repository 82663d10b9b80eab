"""Spark without a cluster in containers: Connect's own container does the work, and batch jobs run in it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, refused_checks, up
from tests.integration import alone
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    changes = {
        ("name",): f"it-alone-{os.getpid()}",
        ("stacks",): {"local": {"runtime": "docker", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
        ("engines",): {"spark": alone.SPARK, "trino": {"memory": "1g"}},
        ("catalogs", "lake", "namespaces"): alone.TABLES,
        ("access",): {},
        **DOCKER,
    }
    made = Deployment.make(tmp_path_factory.mktemp("alone") / "a lakehouse", changes)
    made.fetch()
    yield from up(made, engine)


def test_connect_and_a_batch_job_write_what_trino_reads(stack: Deployment) -> None:
    alone.assert_alone(stack)


def test_it_is_whole_and_nothing_is_left_to_do(stack: Deployment, engine: DockerEngine) -> None:
    alone.assert_whole(stack)
    assert refused_checks(stack, engine) == []
