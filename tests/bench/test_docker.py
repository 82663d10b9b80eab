"""The cost of a start in containers, compared with `docker compose up --wait` of the same containers and processes.

Ours have class archives, as after the first deploy of a machine. Compose has them only if it is given the id of each
image, which is measured too: it has no archives of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes.docker.archives import IMAGE
from lakehouse.runtimes.docker.containers import RESTART, Container
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.docker.steps import prepare
from lakehouse.runtimes.training import train
from lakehouse.spec import load
from tests.bench.test_startup import ROUNDS, first_row, resident, seconds, show
from tests.integration.deployment import BIN, Changes, Deployment

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

DOCKER: Changes = {("stacks", "local", "runtime"): "docker"}


def compose(asked: tuple[Container, ...], needs: dict[str, tuple[str, ...]], ids: dict[str, str]) -> dict[str, Any]:
    """The same containers as a Compose file: images, commands, mounts, limits and health checks.

    ``ids`` are those of images, by name, with which a container finds its class archive.
    """
    volumes = {each.volume.source: {"external": True} for each in asked}
    services = {each.service: _service(each, needs[each.service], ids.get(each.image, "")) for each in asked}
    return {"services": services, "volumes": volumes}


def _service(each: Container, needs: tuple[str, ...], image_id: str) -> dict[str, Any]:
    return {
        "image": each.image,
        "pull_policy": "never",
        "user": each.user,
        "entrypoint": [each.command[0]],
        "command": [word.replace("$", "$$") for word in each.command[1:]],  # which Compose would fill in itself
        "environment": {**dict(each.environment), IMAGE: image_id},
        "working_dir": each.directory,
        "volumes": [
            {
                "type": "bind" if "/" in mount.source else "volume",
                "source": mount.source,
                "target": mount.target,
                "read_only": mount.read_only,
            }
            for mount in each.mounts
        ],
        "ports": [f"127.0.0.1:{external}:{internal}" for internal, external in each.ports],
        "mem_limit": f"{each.memory_mb}m",
        "restart": RESTART,
        "depends_on": {need: {"condition": "service_healthy"} for need in needs},
        "healthcheck": {
            "test": [word.replace("$", "$$") for word in each.health.test],
            "interval": f"{each.health.interval}s",
            "timeout": f"{each.health.timeout}s",
            "retries": each.health.retries,
            "start_period": f"{each.health.start_period}s",
        },
    }


def runtime(deployment: Deployment) -> Containers:
    found = deployment.local.runtime
    assert isinstance(found, Containers)
    return found


@contextmanager
def composed(deployment: Deployment, *, archived: bool) -> Iterator[Callable[[], object]]:
    """Starts it with Compose. Configuration and volumes are made before and not counted."""
    local = deployment.local
    asked = runtime(deployment).containers
    prepare(local.state, local.services, asked, DockerEngine(), local.claim)
    ids = {each.image: DockerEngine().image(each.image) for each in asked} if archived else {}
    file = deployment.folder / "compose.json"
    file.write_text(json.dumps(compose(asked, {each.name: each.needs for each in local.services}, ids)))
    words = ["docker", "compose", "--file", str(file), "--project-name", asked[0].network]
    try:
        yield partial(subprocess.run, [*words, "up", "--wait", "--quiet-pull"], check=True, capture_output=True)
    finally:
        subprocess.run([*words, "down"], check=False, capture_output=True)
        runtime(deployment).remove_data()


def deploy(deployment: Deployment) -> None:
    deployment.deploy()
    first_row(deployment)


def archives(folder: Path) -> None:
    """Make the class archives of the containers, as the job after a first deploy does. Compose makes none."""
    made = Deployment.make(folder, DOCKER)
    train(load(made.file), "local", made.file)


def test_docker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command to the first row; then what a deploy with nothing to do costs, and memory at rest."""
    if subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode:
        pytest.skip("docker compose, with which to compare, is not on this machine")
    rows: dict[str, list[float]] = {
        "containers: lakehouse deploy to first row": [],
        "containers: docker compose up --wait to first row": [],
        "the same, with our class archives": [],
        "processes: lakehouse deploy to first row": [],
    }
    archives(tmp_path / "archives")
    names, noop, memory = list(rows), [], {"containers": [0.0], "processes": [0.0]}
    ratios: dict[str, list[float]] = {"deploy / compose": [], "deploy / compose with our archives": []}
    for number in range(ROUNDS):
        ours = Deployment.make(tmp_path / f"ours {number}", {("name",): f"bench-{os.getpid()}-{number}", **DOCKER})
        rows[names[0]].append(seconds(partial(deploy, ours)))
        if number == 0:
            noop = [seconds(ours.deploy) for _ in range(ROUNDS)]
            memory["containers"] = [sum(runtime(ours).memory().values()) / 2**20]
        ours.cdktf("destroy", "local", "--auto-approve")
        runtime(ours).remove_data()

        for row, archived in ((names[1], False), (names[2], True)):
            called = f"compose-{os.getpid()}-{number}-{archived}".lower()
            theirs = Deployment.make(tmp_path / called, {("name",): called, **DOCKER})
            with composed(theirs, archived=archived) as up:
                began = time.monotonic()
                up()
                # The bucket, the namespaces and the tables, which ours makes as part of the deploy.
                subprocess.run([BIN / "lakehouse", "apply"], cwd=theirs.folder, check=True, capture_output=True)
                first_row(theirs)
                rows[row].append(time.monotonic() - began)

        plain = Deployment.make(tmp_path / f"processes {number}")
        rows[names[3]].append(seconds(partial(deploy, plain)))
        if number == 0:
            memory["processes"] = [resident(plain)["rss"]]
        plain.cdktf("destroy", "local", "--auto-approve")
        for ratio, row in zip(ratios, names[1:3], strict=True):
            ratios[ratio].append(rows[names[0]][-1] / rows[row][-1])
    show(capsys, "Start", rows)
    show(capsys, "Ratio, pair by pair", ratios, "x")
    show(capsys, "Deploy with nothing to do", {"lakehouse deploy": noop})
    show(capsys, "Memory after the first row", memory, "MiB")
