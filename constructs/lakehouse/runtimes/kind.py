"""What each runtime answers: a module of these functions, named in :mod:`lakehouse.runtimes.locate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lakehouse.runtimes.findings import PortHolder
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
    """A way to run services on this machine: ``runtime:`` of a stack in lakehouse.yaml."""

    def place(self, state: State, listeners: Mapping[str, Listener], home: Path) -> Place:
        """Where a service's things are; ``listeners`` are its ports by name, ``home`` the folder of the file."""

    def runtime(
        self, lakehouse: Lakehouse, stack: str, state: State, place: Place, services: tuple[Service, ...]
    ) -> Runtime:
        """The runtime as a person asks it."""

    def explained(self, holder: PortHolder) -> PortHolder:
        """The holder of a port, with what this runtime knows of it: the container that it is published for."""

    def terraform(self, scope: Construct, local: Local) -> LocalRuntime:
        """The services as Terraform resources below ``scope``."""
