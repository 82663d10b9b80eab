"""The incarnations of services that run in containers, from the containers' labels, and those that should run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.containers import Container, ContainerSeen, as_asked
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.generations import NOTHING, Planned, marked
from lakehouse.runtimes.incarnation import NONE, Because, Incarnation, propose, recorded, silent
from lakehouse.runtimes.probe import BUSY_SECONDS, Asked, ready
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def answers(engine: DockerEngine, container: Container, seen: ContainerSeen, timeout: float = 2.0) -> bool:
    """Whether a container is ready, which it says within ``timeout`` seconds.

    Docker reports it, but checks only every few seconds, and calls a busy one unhealthy. So it is probed too.
    """
    if seen.status != "running" or seen.health == "healthy":
        return seen.up
    if container.probe.kind == "exec":
        return engine.ends_well(seen.name, container.probe.command)
    return ready(container.probe, Asked(Path(container.config)), timeout)


def wanted(container: Container, planned: Planned) -> str:
    """The digest with which a container should run."""
    return marked(container.digest, container.credentials, planned)


def look(
    services: Sequence[Service],
    containers: Sequence[Container],
    state: State,
    known: frozenset[str] | None,
    planned: Planned = NOTHING,
    because: Because = silent,
) -> dict[str, Incarnation]:
    """The incarnation that each service should have, from the stack's containers.

    ``known`` are the names in Terraform's state (None: unknown). Terraform will create the others again.
    """
    engine = DockerEngine()
    with errors_reported():
        seen = engine.seen(state)
        images = {each: engine.image(each) for each in {asked.image for asked in containers}} if seen else {}
    asked = {each.service: each for each in containers if each.service in seen}
    # If an image was built again, Terraform replaces its containers.
    right = [
        name
        for name in asked
        if (known is None or asked[name].name in known)
        and as_asked(asked[name], seen[name])
        and images[asked[name].image] in ("", seen[name].image)
    ]
    with ThreadPoolExecutor(max(1, len(right))) as pool:
        found = pool.map(lambda name: answers(engine, asked[name], seen[name], BUSY_SECONDS), right)
        well = dict(zip(right, found, strict=True))
    last = {name: each.incarnation for name, each in seen.items()}
    last |= {each.service: recorded(state, each.service) for each in containers if each.is_job}
    return propose(
        services,
        {each.service: wanted(each, planned) for each in containers},
        {each.service: last.get(each.service, NONE) for each in containers},
        {each.service: each.is_job or well.get(each.service, False) for each in containers},
        because,
    )
