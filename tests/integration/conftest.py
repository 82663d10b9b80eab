"""One lakehouse for the whole session: real processes in a temporary folder, on free ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from bootstrap.deploy import log
from tests.integration.deployment import Deployment, ending
from tests.ports import free

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession


FIRST_LOG = "first-deploy.log"  # a copy: later deploys of the tests remove the oldest logs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the shared lakehouse come last: it costs processor time and memory as long as it is up."""
    items.sort(key=lambda item: "deployed" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The default lakehouse, up: the README's first command in a clone. Its folder's path has a space in it."""
    deployment = Deployment.clone(tmp_path_factory.mktemp("integration") / "a lakehouse")
    _sources(deployment)
    with ending(deployment):
        deployment.run("make", "deploy", timeout=600)
        (deployment.folder / FIRST_LOG).write_text(log.kept(deployment.file, "local")[0].read_text())
        yield deployment


@pytest.fixture(scope="module")
def spark(deployed: Deployment) -> Iterator[SparkSession]:
    """A session of Spark Connect."""
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.remote(f"sc://localhost:{deployed.port('spark-connect')}").create()
    yield session
    session.stop()


def _sources(deployment: Deployment) -> None:
    """Two buckets outside: one in a store that a test may start, one in the lakehouse's own store with a wrong key."""
    endpoints = {"abroad": free(1)[0], "stranger": deployment.port("s3proxy")}
    for name in endpoints:
        keys = f"[default]\naws_access_key_id = {name}\naws_secret_access_key = key-of-{name}\n"
        (deployment.folder / f"{name}.credentials").write_text(keys)
    sources = {
        name: {"endpoint": f"http://127.0.0.1:{port}", "credentials": f"{name}.credentials"}
        for name, port in endpoints.items()
    }
    deployment.change("sources", to=sources)
