"""A local stack found: its state folder, its services, their endpoints, and the runtime that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.kinds.compose import Endpoints
from lakehouse.runtimes.owner import OwnerClaim
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.service import Place, Service
from lakehouse.spec.kinds import Listener


@dataclass(frozen=True)
class Local:
    """What the file says of a stack on this machine; nothing in it has been started or written."""

    state: State
    place: Place
    everything: tuple[Service, ...]  # services and one-shot jobs, each after those that it needs
    endpoints: Endpoints
    listeners: Mapping[str, Listener]  # by name, with the numbers that are seen from outside
    runtime: Runtime
    claim: OwnerClaim  # to the state folder
    credentials: Path | None = None  # the file of those that the user has chosen

    @property
    def ports(self) -> dict[str, int]:
        """Numbers by name, as they are seen from outside."""
        return {name: each.number for name, each in self.listeners.items()}

    @property
    def services(self) -> tuple[Service, ...]:
        """What runs: all but the jobs."""
        return tuple(each for each in self.everything if not each.is_job)
