"""A local stack: its state folder, its services, their endpoints, and the runtime that runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from lakehouse.kinds.compose import Endpoints
from lakehouse.runtimes.owner import OwnerClaim
from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import Given
from lakehouse.services.service import Place, Service
from lakehouse.spec.kinds import Listener


@dataclass(frozen=True)
class Local:
    """A stack of the file on this machine. Nothing has been started or written."""

    state: State
    place: Place
    everything: tuple[Service, ...]  # services and one-shot jobs, each after those that it needs
    endpoints: Endpoints
    listeners: Mapping[str, Listener]  # by name, with their numbers outside of containers
    runtime: Runtime
    claim: OwnerClaim  # to the state folder
    credentials: Path | None = None  # the file of credentials that the user sets
    given: Given | None = None  # the certificate that the user gives
    clients: tuple[IPv4Network, ...] = ()  # who reaches services on other machines

    @property
    def ports(self) -> dict[str, int]:
        """Numbers of ports by name, as outside of containers."""
        return {name: each.number for name, each in self.listeners.items()}

    @property
    def services(self) -> tuple[Service, ...]:
        """The services without the one-shot jobs."""
        return tuple(each for each in self.everything if not each.is_job)

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses that are useful to a person, by the port's name, and ``catalog-NAME`` for each catalog."""
        found = {
            port.name: self.place.external(port.name).url(port.scheme, port.path)
            for service in self.services
            for port in service.ports
            if port.label or self.listeners[port.name].meaning
        }
        for at in self.endpoints.catalogs:
            for each in at.kind.addresses(at)[:1]:
                found[f"catalog-{at.name}"] = f"{at.external}{each.path}"
        return found
