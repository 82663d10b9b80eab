"""Services on other machines: a :class:`lakehouse.runtimes.kind.RuntimeKind`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.hosts import playbook
from lakehouse.runtimes.hosts.place import HostsPlace, Layout
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.hosts.ssh import Ssh
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
    options = lakehouse.stacks[stack]
    assert isinstance(options, LocalStack)
    layout = Layout(f"{lakehouse.name}-{stack}")
    return HostsPlace(
        layout,
        options.hosts,
        options.place,
        options.store.kind,
        listeners,
        home,
        trust,
        tuple(options.harden),
        options.packages or "",
    )


def runtime(lakehouse: Lakehouse, stack: str, state: State, place: Place, services: tuple[Service, ...]) -> Runtime:
    assert isinstance(place, HostsPlace)
    known = playbook.known_hosts(state)
    hosts = {name: Ssh(name, each, place.home, known) for name, each in place.hosts.items()}
    return Hosts(state, place, services, hosts)


def failure() -> str:
    return ""


def explained(holder: PortHolder) -> PortHolder:
    return holder


def terraform(scope: Construct, local: Local, because: Callable[[Planned], Because]) -> LocalRuntime:
    from lakehouse.runtimes.hosts.terraform import HostsRuntime

    return HostsRuntime(scope, "hosts", local, because)
