"""One lakehouse in containers for the whole session, and Docker itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.containers import STATE
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.runtime import Containers
from tests.containers.machines import lacking, running
from tests.integration.deployment import Changes, Deployment

TOKEN = ("engines", "spark", "connect")
DOCKER: Changes = {("stacks", "local", "runtime"): "docker"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the shared lakehouse come last: Docker's health checks of seven containers cost CPU all the time."""
    items.sort(key=lambda item: "contained" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def engine() -> DockerEngine:
    """Docker; in CI it must be there."""
    found = DockerEngine()
    try:
        found.client.ping()
    except LakehouseError as error:
        if os.environ.get("CI"):
            pytest.fail(f"these tests need Docker: {error}")
        pytest.skip(f"no Docker here: {error}")
    return found


@pytest.fixture(scope="session")
def contained(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The default lakehouse in containers, up. Its folder's path has a space in it."""
    folder = tmp_path_factory.mktemp("docker") / "a lakehouse"
    deployment = Deployment.make(folder, {("name",): f"it-{os.getpid()}", TOKEN: {"token": True}, **DOCKER})
    yield from up(deployment, engine)


@pytest.fixture(scope="module")
def machines(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The machines for a stack with `runtime: hosts`, and the file with the key by which their users log in.

    In CI they must be there.
    """
    if missing := lacking():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no machines here: {missing}")
    with running(tmp_path_factory.mktemp("key")) as key:
        yield key


def up(deployment: Deployment, engine: DockerEngine) -> Iterator[Deployment]:
    """Deploy it, then destroy it with its data; nothing of it may be left."""
    before = unlabelled(engine)
    try:
        deployment.deploy()
        yield deployment
    finally:
        said = deployment.destroy(code=None)
        said += deployment.lakehouse("destroy", "--data", "--yes", code=None)
        left = remains(deployment, engine)
        left += sorted(unlabelled(engine) - before)
        for container in engine.seen(deployment.local.state).values():
            engine.client.containers.get(container.name).remove(v=True, force=True)
        assert left == [], f"destroy leaves nothing:\n{said}"


def runtime(deployment: Deployment) -> Containers:
    found = deployment.local.runtime
    assert isinstance(found, Containers)
    return found


def remains(deployment: Deployment, engine: DockerEngine) -> list[str]:
    """What is left of a lakehouse in Docker: containers, networks, volumes."""
    state = deployment.local.state
    label = {"label": f"{STATE}={state.root}"}
    return [
        *(each.name for each in engine.seen(state).values()),
        *(str(each.name) for each in engine.client.networks.list(filters=label)),
        *engine.volumes(state),
    ]


def unlabelled(engine: DockerEngine) -> set[str]:
    """The volumes of no lakehouse, those that images declare, which no container has. Other lakehouses come and go."""
    unused = engine.client.volumes.list(filters={"dangling": True})
    return {str(each.name) for each in unused if STATE not in (each.attrs["Labels"] or {})}


def sick(deployment: Deployment) -> list[str]:
    """The services that are not healthy now."""
    return [name for name, well in runtime(deployment).healthy().items() if not well]


def refused_checks(deployment: Deployment, engine: DockerEngine) -> list[str]:
    """The services whose Docker health check fails now; while a container starts, Docker does not show that."""
    asked = {each.name: each for each in runtime(deployment).containers if each.health.test[0] == "CMD"}
    return [each.service for name, each in asked.items() if not engine.ends_well(name, each.health.test[1:])]


def exposed(deployment: Deployment, engine: DockerEngine) -> list[str]:
    """The names of secrets that are seen outside the mounted files: by Terraform, by Docker, or in a log."""
    kept = {path.name: path.read_text() for path in (deployment.local.state.root / "secrets").iterdir()}
    assert len(kept) > 1
    texts = [path.read_text() for path in deployment.folder.glob("terraform.*.tfstate*")]
    texts += [path.read_text() for path in (deployment.folder / "cdktf.out").rglob("*.json")]
    for name, each in engine.seen(deployment.local.state).items():
        texts += [json.dumps(engine.client.containers.get(each.name).attrs), runtime(deployment).log(name, 500)]
    assert len(texts) > 5
    return [name for name, value in kept.items() if any(value in text for text in texts)]
