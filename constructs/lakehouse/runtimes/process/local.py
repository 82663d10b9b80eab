"""A local stack found: its state folder, its services and their endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.process.state import State
from lakehouse.services.compose import Endpoints, endpoints, services
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.spec.ports import ports


@dataclass(frozen=True)
class Local:
    """What the file says of a stack on this machine; nothing in it has been started or written."""

    state: State
    services: tuple[Service, ...]
    endpoints: Endpoints


def locate(lakehouse: Lakehouse, stack: str, path: Path) -> Local:
    """The local stack of that name in the lakehouse read from ``path``.

    Raises UsageError where the file has no such stack, or it is not a local one.
    """
    found = lakehouse.stacks.get(stack)
    if not isinstance(found, LocalStack):
        local = [name for name, each in lakehouse.stacks.items() if isinstance(each, LocalStack)]
        raise UsageError(f'{path.name}: stacks has no local "{stack}"; it has {", ".join(local) or "none"}.')
    root = path.parent / (found.state or ".lakehouse") / stack
    state = State(root)
    place = ProcessPlace(state, ports(lakehouse, stack))
    return Local(state, services(lakehouse, place), endpoints(lakehouse, place))
