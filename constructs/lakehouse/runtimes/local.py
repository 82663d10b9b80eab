"""A local stack found: its state folder, its services, their endpoints, and the runtime that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State, folder
from lakehouse.services.compose import Endpoints, endpoints, services
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.ports import ports
from lakehouse.text.terminal import is_hidden, shown


@dataclass(frozen=True)
class Local:
    """What the file says of a stack on this machine; nothing in it has been started or written."""

    state: State
    place: Place
    services: tuple[Service, ...]
    endpoints: Endpoints
    ports: Mapping[str, int]  # by name, on the loopback address of this machine
    runtime: Runtime


def locate(lakehouse: Lakehouse, stack: str, path: Path) -> Local:
    """The local stack of that name in the lakehouse read from ``path``.

    Raises UsageError where the file has no such stack, or it is not a local one.
    """
    found = lakehouse.stacks.get(stack)
    if not isinstance(found, LocalStack):
        local = [name for name, each in lakehouse.stacks.items() if isinstance(each, LocalStack)]
        raise UsageError(f'{path.name}: stacks has no local "{stack}"; it has {", ".join(local) or "none"}.')
    state = State(folder(path, stack, found.state))
    if any(map(is_hidden, str(state.root))):
        raise UsageError(f"{shown(str(state.root))} has a character that is no part of a line. Rename that folder.")
    numbers = ports(lakehouse, stack)
    place: Place
    runtime: Runtime
    if found.runtime == "docker":
        from lakehouse.runtimes.docker.containers import Naming, containers
        from lakehouse.runtimes.docker.place import DockerPlace
        from lakehouse.runtimes.docker.runtime import Containers

        place = DockerPlace(numbers, path.parent)
        there = services(lakehouse, found, place)
        name = f"{lakehouse.name}-{stack}"
        prefix = f"{name}-" if found.container_prefix is None else found.container_prefix
        runtime = Containers(state, containers(there, Naming(name, f"{name}-", prefix), state, place))
    else:
        place = ProcessPlace(state, numbers, path.parent)
        there = services(lakehouse, found, place)
        runtime = Processes(state, there)
    return Local(state, place, there, endpoints(lakehouse, found, place), numbers, runtime)
