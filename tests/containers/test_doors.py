"""What listens in the containers: the declared ports, published only on the loopback address."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bootstrap.session.clients import TOKEN
from lakehouse.kinds.stores import rustfs
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.images import IMAGES
from tests.attacks.attacked import assert_known
from tests.containers.conftest import DOCKER, runtime, up
from tests.containers.listening import DNS, assert_declared, listening
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_what_listens_is_declared_and_published_on_the_loopback_address(
    contained: Deployment, engine: DockerEngine
) -> None:
    contained.lakehouse("sql", "-e", "SELECT 1", "--engine", "spark")  # an executor is there
    assert_declared(contained, engine)


def test_each_port_gives_what_is_known_and_shown(contained: Deployment) -> None:
    assert_known(contained)


@pytest.fixture
def on_rustfs(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Only RustFS and a catalog."""
    if not engine.has_image(IMAGES[rustfs.PACKAGE].reference):
        pytest.skip("no image of RustFS here: docs/stores.md says how to get it")
    changes = {("name",): f"it-rustfs-{os.getpid()}", ("stacks", "local", "store"): rustfs.NAME, ("engines",): {}}
    yield from up(Deployment.make(tmp_path_factory.mktemp("rustfs") / "a lakehouse", {**changes, **DOCKER}), engine)


@pytest.mark.matrix
def test_what_listens_on_rustfs_is_declared(on_rustfs: Deployment, engine: DockerEngine) -> None:
    assert_declared(on_rustfs, engine)


def test_the_master_takes_no_jobs_by_http(contained: Deployment, engine: DockerEngine) -> None:
    master = next(each for each in runtime(contained).containers if each.service == "spark-master")
    inside = {port for ip, port in listening(engine.seen(contained.local.state)["spark-master"].pid) if ip != DNS}
    assert inside == {internal for internal, _ in master.ports}


def test_connect_asks_for_its_token(contained: Deployment) -> None:
    """A client without it, or with another, is refused; the command line has it (the other tests here use it)."""
    code = (
        "from bootstrap.session.clients import spark_session\n"
        f"spark_session('sc://localhost:{contained.port('spark-connect')}').sql('SELECT 1').collect()\n"
    )
    for token in ({}, {TOKEN: "another"}):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **token},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode
        assert "UNAUTHENTICATED" in done.stderr
