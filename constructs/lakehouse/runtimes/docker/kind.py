"""Services as containers: a :class:`lakehouse.runtimes.kind.RuntimeKind`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.runtimes.docker import findings, observed
from lakehouse.runtimes.docker.containers import Naming, containers
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import Because
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.kinds import Listener

if TYPE_CHECKING:
    from lakehouse.cdk import Construct
    from lakehouse.runtimes.terraform import LocalRuntime


def place(
    lakehouse: Lakehouse, stack: str, state: State, listeners: Mapping[str, Listener], home: Path, trust: str
) -> Place:
    return DockerPlace(listeners, home, trust, state)


def runtime(lakehouse: Lakehouse, stack: str, state: State, place: Place, services: tuple[Service, ...]) -> Runtime:
    options = lakehouse.stacks[stack]
    assert isinstance(options, LocalStack)
    assert isinstance(place, DockerPlace)
    name = f"{lakehouse.name}-{stack}"
    prefix = f"{name}-" if options.container_prefix is None else options.container_prefix
    naming = Naming(name, f"{name}-", prefix)
    inside, outside = [tuple(each for each in services if each.outside is apart) for apart in (False, True)]
    return Containers(state, containers(inside, naming, state, place), services=inside, outside=outside)


def failure() -> str:
    found = findings.answers(observed.daemon(DockerEngine(), os.environ))
    return "" if found.severity == "ok" else f"{found.found} ({found.cause}). Fix: {found.fix}."


def explained(holder: PortHolder) -> PortHolder:
    return observed.explained(DockerEngine(), holder)


def terraform(scope: Construct, local: Local, because: Callable[[Planned], Because]) -> LocalRuntime:
    from lakehouse.runtimes.docker.terraform import DockerRuntime  # its bindings take 0.1 s

    return DockerRuntime(scope, "docker", local, because)
