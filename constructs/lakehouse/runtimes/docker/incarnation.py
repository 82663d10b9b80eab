"""Which incarnation of a service runs in a container, and which one should: the container's label tells."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lakehouse.runtimes.docker.containers import Container, ContainerSeen, as_asked
from lakehouse.runtimes.docker.engine import DockerEngine, errors_told
from lakehouse.runtimes.generations import NOTHING, Planned, marked
from lakehouse.runtimes.incarnation import NONE, Incarnation, propose, recorded
from lakehouse.runtimes.probe import Asked, ready
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def answers(engine: DockerEngine, container: Container, seen: ContainerSeen) -> bool:
    """Whether a container answers as a ready one: Docker knows, but it asks every few seconds only."""
    if not seen.up or seen.health == "healthy":
        return seen.up
    if container.probe.kind == "exec":
        return engine.ends_well(seen.name, container.probe.command)
    return ready(container.probe, Asked(Path(container.config)))


def wanted(container: Container, planned: Planned) -> str:
    """The digest that a container should have been made with."""
    return marked(container.digest, container.credentials, planned)


def look(
    services: Sequence[Service],
    containers: Sequence[Container],
    state: State,
    known: frozenset[str] | None,
    planned: Planned = NOTHING,
) -> dict[str, Incarnation]:
    """The incarnation each service should have, after a look at the stack's containers.

    ``known`` are the names that Terraform knows (None: nobody can tell); it will make the others again.
    """
    engine = DockerEngine()
    with errors_told():
        seen = engine.seen(state)
        images = {each: engine.image(each) for each in {asked.image for asked in containers}} if seen else {}
    asked = {each.service: each for each in containers if each.service in seen}
    # An image that was built again is another one, and Terraform replaces its containers.
    right = [
        name
        for name in asked
        if (known is None or asked[name].name in known)
        and as_asked(asked[name], seen[name])
        and images[asked[name].image] in ("", seen[name].image)
    ]
    with ThreadPoolExecutor(max(1, len(right))) as pool:
        well = dict(zip(right, pool.map(lambda name: answers(engine, asked[name], seen[name]), right), strict=True))
    last = {name: each.incarnation for name, each in seen.items()}
    last |= {each.service: recorded(state, each.service) for each in containers if each.is_job}
    return propose(
        services,
        {each.service: wanted(each, planned) for each in containers},
        {each.service: last.get(each.service, NONE) for each in containers},
        {each.service: each.is_job or well.get(each.service, False) for each in containers},
    )
