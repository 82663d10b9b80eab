"""Class archives of containers. Only the store's is made here, because those of all services take minutes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lakehouse.runtimes import archiving, training
from lakehouse.runtimes.docker import archives
from lakehouse.runtimes.docker import training as by_containers
from lakehouse.runtimes.docker.containers import STATE
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.images import image
from lakehouse.services.service import Service
from lakehouse.spec import load
from tests.containers.conftest import runtime, sick
from tests.integration.deployment import ROW, Deployment, a_row, read, until_well

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

STORE = "s3proxy"


def test_an_archive_is_recorded_beside_used_and_harmless_if_it_is_damaged(
    contained: Deployment, engine: DockerEngine, tmp_path: Path
) -> None:
    store = next(each for each in contained.local.services if each.name == STORE)
    archive = archives.path(store, engine.image(image(store.image).reference))
    assert archive is not None
    with set_aside(archive), a_row(contained):
        restart(contained)
        assert not maps(contained)
        made(contained, store, archive, tmp_path)
        assert left(engine) == [], "nothing of those that recorded"
        assert contained.planned() == set(), "an archive that appears changes no definition"
        restart(contained)
        assert maps(contained)
        said = log(contained)
        assert "Picked up JAVA_TOOL_OPTIONS" in said
        assert f"-XX:AOTCache={archives.TARGET}/" in said
        assert "[error]" not in said
        assert read(contained) == ROW

        classes = archive / "classes"
        whole = classes.read_bytes()
        half = len(whole) // 2
        for damage in (whole[:half], whole[:half] + bytes(half)):  # with the second, a JVM that used it would crash
            classes.write_bytes(damage)
            restart(contained)
            assert not maps(contained)
            assert read(contained) == ROW
        classes.unlink()
        restart(contained)
        assert read(contained) == ROW
        assert contained.planned() == set()


def made(deployment: Deployment, store: Service, archive: Path, folder: Path) -> None:
    """Make the archive as `lakehouse.runtimes.training` does, of a lakehouse of which only the store is started."""
    found = by_containers.possible({archive: (store,)}, pytest.fail)
    scratch = archiving.folder() / f"{by_containers.SCRATCH}test-{os.getpid()}"
    records = scratch / "records"
    records.mkdir(parents=True)
    try:
        local = training._separate(load(deployment.file), "local", scratch)
        recorded = by_containers.recording(next(each for each in local.services if each.name == STORE), records)
        by_containers.begin(local, local.everything, lowest=False)
        try:
            by_containers.up(local, recorded, records, lowest=False)
            by_containers.down(local, recorded)
        finally:
            by_containers.finish(local)
        assert by_containers.create(local, archive, found[archive], records, lowest=False) > 1e6
    finally:
        subprocess.run(["rm", "-rf", scratch], check=True)
    assert not by_containers.missing(deployment.local).get(archive)


@contextmanager
def set_aside(archive: Path) -> Iterator[None]:
    """Without the archive, which may be there. It is kept."""
    kept = archiving.folder() / f"kept-{os.getpid()}"
    if archive.exists():
        archive.rename(kept)
    try:
        yield
    finally:
        archives.remove(archive)
        if kept.exists():
            kept.rename(archive)


def restart(deployment: Deployment) -> None:
    subprocess.run(["docker", "restart", container(deployment)], capture_output=True, check=True, timeout=120)
    until_well(deployment, sick)


def maps(deployment: Deployment) -> bool:
    """Whether the JVM, which is the container's first process, has mapped its archive: it does so if it uses it."""
    done = subprocess.run(
        ["docker", "exec", container(deployment), "cat", "/proc/1/maps"], capture_output=True, text=True, check=True
    )
    assert "/libjvm.so" in done.stdout
    return archives.TARGET in done.stdout


def log(deployment: Deployment) -> str:
    """What the container has said since its last start."""
    started = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.StartedAt}}", container(deployment)],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    done = subprocess.run(
        ["docker", "logs", "--since", started, container(deployment)], capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def left(engine: DockerEngine) -> list[str]:
    """The containers, networks and volumes of lakehouses that recorded."""
    marked: dict[str, str | list[str] | bool] = {"label": STATE}
    names = [
        *(each.name for each in engine.client.containers.list(all=True, filters=marked)),
        *(each.name for each in engine.client.networks.list(filters=marked)),
        *(each.name for each in engine.client.volumes.list(filters=marked)),
    ]
    return [name for name in map(str, names) if name.startswith("archives-")]


def container(deployment: Deployment) -> str:
    return next(each.name for each in runtime(deployment).containers if each.service == STORE)
