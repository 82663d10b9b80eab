"""Services that other kinds need, such as the database of a catalog, and those that watch all others.

The services in ``needs`` of a catalog start before it, once per stack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lakehouse.services.service import Place, Service
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import KindRules, Unsecured
from lakehouse.spec.monitoring import Monitoring


@dataclass(frozen=True, kw_only=True)
class PlatformKind(KindRules):
    """A kind of platform service. ``services`` gets the servers that need it, each with the entry of its catalog.
    ``measured`` returns one of its services as a stack with `monitoring` has it.
    """

    services: Callable[[Place, Mapping[str, KindEntry]], tuple[Service, ...]]
    measured: Callable[[Place, Service], Service] = lambda place, service: service


_PAGES = Unsecured("its pages ask nobody for a password here")


@dataclass(frozen=True)
class Watched:
    """What a stack's `monitoring` watches. ``roles`` says which service is the store, a catalog, an engine or
    one that carries pipelines; ``databases`` are the catalogs' servers with one, each with the entry of its catalog.
    """

    monitoring: Monitoring
    services: tuple[Service, ...]
    roles: Mapping[str, str]
    scheduled: bool = False  # the stack has a schedule
    databases: Mapping[str, KindEntry] = field(default_factory=dict)

    def role(self, service: str) -> str:
        return self.roles.get(service, "platform")

    def has(self, service: str) -> bool:
        """Whether the stack has a service of that name."""
        return any(each.name == service for each in self.services)

    @property
    def has_pipelines(self) -> bool:
        """Whether the stack carries pipelines."""
        return "pipeline" in self.roles.values()


@dataclass(frozen=True, kw_only=True)
class MonitorKind(KindRules):
    """A kind of service that each stack with `monitoring` has. It has no image, and gets the place of such services."""

    unsecured: Unsecured | None = _PAGES
    service: Callable[[Place, Watched], Service]
