"""A local stack found: its state folder, its services, their endpoints, and the runtime that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.kinds.compose import Endpoints, endpoints, services
from lakehouse.runtimes import owner
from lakehouse.runtimes.owner import Claim, Owner
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State, folder, terraform_state
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
    claim: Claim  # to the state folder


def locate(lakehouse: Lakehouse, stack: str, path: Path) -> Local:
    """The local stack of that name in the lakehouse read from ``path``.

    Raises UsageError where the file has no such stack, it is not a local one, or its state folder cannot be one.
    """
    found = lakehouse.stacks.get(stack)
    if not isinstance(found, LocalStack):
        local = [name for name, each in lakehouse.stacks.items() if isinstance(each, LocalStack)]
        raise UsageError(f'{path.name}: stacks has no local "{stack}"; it has {", ".join(local) or "none"}.')
    state = State(folder(path, stack, found.state))
    if any(map(is_hidden, str(state.root))):
        raise UsageError(f"{shown(str(state.root))} has a character that is no part of a line. Rename that folder.")
    if found.state is not None:
        owner.place(state.root, path, f'{path}: stacks.{stack}.state: "{found.state}"')
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
    return Local(
        state=state,
        place=place,
        services=there,
        endpoints=endpoints(lakehouse, found, place),
        ports=numbers,
        runtime=runtime,
        claim=_claim(lakehouse, stack, path, state),
    )


def _claim(lakehouse: Lakehouse, stack: str, path: Path, state: State) -> Claim:
    known = terraform_state(path, stack)
    return owner.claim(
        state,
        Owner(lakehouse.name, stack, owner.new_id(), str(path.resolve()), str(state.root.resolve())),
        deployed=known.is_file() and known.stat().st_size > 0,
        catalogs=tuple((name, each.location) for name, each in lakehouse.catalogs.items()),
    )
