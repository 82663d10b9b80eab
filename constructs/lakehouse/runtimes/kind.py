"""The interface of a runtime: a module with these functions, registered in :mod:`lakehouse.runtimes.locate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import Because
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Listener

if TYPE_CHECKING:  # the CDK takes half a second
    from lakehouse.cdk import Construct
    from lakehouse.runtimes.terraform import LocalRuntime


class RuntimeKind(Protocol):
    """A way to run services: ``runtime:`` of a stack in lakehouse.yaml."""

    def place(
        self, lakehouse: Lakehouse, stack: str, state: State, listeners: Mapping[str, Listener], home: Path, trust: str
    ) -> Place:
        """The place of the services. ``listeners`` are the ports by name, ``home`` is the folder of the file.

        ``trust`` is the file of the certificate by which users trust the services; empty: the stack is not secure.
        """

    def runtime(
        self, lakehouse: Lakehouse, stack: str, state: State, place: Place, services: tuple[Service, ...]
    ) -> Runtime:
        """The runtime of a stack, for commands."""

    def failure(self) -> str:
        """Why no service can be started or seen by it on this machine, with the fix; empty if nothing is known."""

    def explained(self, holder: PortHolder) -> PortHolder:
        """The holder of a port, completed by this runtime, for example with the container that publishes it."""

    def terraform(self, scope: Construct, local: Local, because: Callable[[Planned], Because]) -> LocalRuntime:
        """The services as Terraform resources below ``scope``. ``because`` finds why one is started again."""
