"""Observations of Docker and of Terraform's Docker provider. They decide nothing and change nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached
from lakehouse.runtimes.docker.connection import innermost
from lakehouse.runtimes.docker.containers import MACHINE, PROVIDER, Container
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.findings import Daemon
from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.state import State

_SOCKET = "unix:///var/run/docker.sock"


def daemon(engine: DockerEngine, environment: Mapping[str, str]) -> Daemon:
    """Whether Docker answers, and the facts that may explain why not."""
    host = environment.get("DOCKER_HOST", "")
    seen = Daemon(host or _SOCKET, bool(host))
    try:
        engine.client  # noqa: B018 - the first access asks Docker
    except LakehouseError as error:
        return replace(
            seen,
            failure=innermost(error),
            socket=not seen.host.startswith("unix://") or Path(seen.host.removeprefix("unix://")).exists(),
            installed=any(map(shutil.which, ("docker", "dockerd"))),
            context=_context(environment),
        )
    return seen


def _context(environment: Mapping[str, str]) -> str:
    """The docker command's current context; empty for the default one."""
    folder = Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        current = str(json.loads((folder / "config.json").read_text()).get("currentContext") or "")
    except (OSError, ValueError, AttributeError):
        return ""
    return "" if current == "default" else current


def missing_images(engine: DockerEngine, references: Sequence[str]) -> dict[str, bool]:
    """The images that Docker does not have, and whether a registry offers each."""
    missing = [each for each in references if not engine.has_image(each)]
    if not missing:
        return {}
    with ThreadPoolExecutor(len(missing)) as pool:
        return dict(zip(missing, pool.map(_offered, missing), strict=True))


def _offered(reference: str) -> bool:
    import docker
    from docker.errors import DockerException
    from requests import RequestException

    try:
        with closing(docker.from_env(timeout=15)) as client:
            client.images.get_registry_data(reference)
    except (DockerException, RequestException):
        return False
    return True


def provider_is_there(folder: Path, stack: str) -> bool:
    """Whether the stack was initialised with the provider, so that its program, or a link to it, is in cdktf.out."""
    installed = folder / "cdktf.out" / "stacks" / stack / ".terraform" / "providers"
    return any(each.is_file() for each in installed.glob("*/kreuzwerker/docker/*/*/terraform-provider-docker*"))


def provider_failure(program: str) -> str:
    """Terraform's error when it tries to get the provider in a temporary folder; empty if it succeeds."""
    wanted = {"terraform": {"required_providers": {"docker": {"source": "kreuzwerker/docker", "version": PROVIDER}}}}
    # Do not wait long for a registry that does not answer.
    quick = {"CHECKPOINT_DISABLE": "1", "TF_REGISTRY_CLIENT_TIMEOUT": "5", "TF_REGISTRY_DISCOVERY_RETRY": "0"}
    with tempfile.TemporaryDirectory(dir=cached.scratch()) as folder:
        (Path(folder) / "main.tf.json").write_text(json.dumps(wanted))
        command = [program, "init", "-input=false", "-no-color"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env=os.environ | quick
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
    if done.returncode == 0:
        return ""
    words = " ".join(done.stderr.replace("│", " ").split()).partition("Error: ")[2]
    return words.partition(". ")[0][:300] or "terraform init failed"


def explained(engine: DockerEngine, holder: PortHolder) -> PortHolder:
    """The holder of a port. If that is Docker's proxy, with the container and its lakehouse."""
    if holder.program != "docker-proxy":
        return holder
    try:
        name = engine.publisher(holder.number) or ""
        return replace(holder, container=name, lakehouse=(engine.owner("container", name) or "") if name else "")
    except LakehouseError:
        return holder  # Docker does not answer


def out_of_memory(engine: DockerEngine, state: State, service: str) -> bool:
    """Whether Docker ended the service's container for lack of memory."""
    seen = engine.seen(state).get(service)
    return seen is not None and bool(_attributes(engine, seen.name)["State"].get("OOMKilled"))


def _attributes(engine: DockerEngine, container: str) -> Mapping[str, Any]:
    attributes: Mapping[str, Any] = engine.client.containers.get(container).attrs
    return attributes


def detached(engine: DockerEngine, state: State, asked: Sequence[Container]) -> list[str]:
    """Services whose containers run but are not in the stack's network."""
    seen = engine.seen(state)
    return [
        each.service
        for each in asked
        if each.service in seen
        and seen[each.service].status == "running"
        and each.network not in seen[each.service].networks
    ]


def unresolved(engine: DockerEngine, state: State) -> dict[str, list[str]]:
    """Container -> names of running services that do not resolve in it. Containers without ``getent`` have none."""
    running = {name: each.name for name, each in engine.seen(state).items() if each.status == "running"}

    def lost(service: str) -> list[str]:
        return [name for name in running if resolves(engine, running[service], name) is False]

    if not running:
        return {}
    with ThreadPoolExecutor(len(running)) as pool:
        return dict(zip(running.values(), pool.map(lost, running), strict=True))


def uncalled(engine: DockerEngine, state: State, asked: Sequence[Container], port: int) -> list[str]:
    """The services whose containers run, and cannot open a port of this machine that they call."""
    seen = engine.seen(state)
    up = [each for each in asked if each.calls_outside and each.service in seen and seen[each.service].up]
    opens = ("timeout", "5", "bash", "-c", f"exec 3<>/dev/tcp/{MACHINE}/{port}")  # a firewall may answer nothing
    return [each.service for each in up if not engine.ends_well(each.name, opens)]


def resolves(engine: DockerEngine, container: str, host: str) -> bool | None:
    """Whether a name resolves in a running container; None if the container has no program to check it."""
    code = engine.client.containers.get(container).exec_run(["getent", "hosts", host]).exit_code
    return None if code is None else {0: True, 1: False, 2: False}.get(code)


def anywhere(engine: DockerEngine, state: State) -> str | None:
    """A running container of the stack, preferably of an engine; None if none runs."""
    running = {name: each.name for name, each in engine.seen(state).items() if each.status == "running"}
    return next((running[name] for name in ("trino", "spark-connect", *running) if name in running), None)
