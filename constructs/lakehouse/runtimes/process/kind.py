"""Services as processes: a :class:`lakehouse.runtimes.kind.RuntimeKind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import Because
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Listener

if TYPE_CHECKING:
    from lakehouse.cdk import Construct
    from lakehouse.runtimes.terraform import LocalRuntime


def place(
    lakehouse: Lakehouse, stack: str, state: State, listeners: Mapping[str, Listener], home: Path, trust: str
) -> Place:
    return ProcessPlace(state, {name: each.number for name, each in listeners.items()}, home, trust)


def runtime(lakehouse: Lakehouse, stack: str, state: State, place: Place, services: tuple[Service, ...]) -> Runtime:
    return Processes(state, tuple(each for each in services if not each.is_job))


def failure() -> str:
    return ""


def explained(holder: PortHolder) -> PortHolder:
    return holder


def terraform(scope: Construct, local: Local, because: Callable[[Planned], Because]) -> LocalRuntime:
    from lakehouse.runtimes.process.terraform import ProcessRuntime

    return ProcessRuntime(scope, "process", local, because)
