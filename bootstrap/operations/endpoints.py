"""The addresses of a lakehouse, and what answers there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lakehouse.runtimes.local import Local
from lakehouse.services.service import Address, Place, Service
from lakehouse.spec.kinds import Listener


@dataclass(frozen=True)
class ServiceEndpoint:
    """An address: ``external`` for a person and the bootstrap, ``internal`` for the other services."""

    service: str
    name: str
    meaning: str
    external: str
    internal: str


def of_service(service: Service, place: Place, listeners: Mapping[str, Listener]) -> Iterator[ServiceEndpoint]:
    """The addresses of a service that are useful to a person; ``listeners`` are the stack's ports by name."""
    seen = place.outside if service.outside else place
    for port in service.ports:
        meaning = port.meaning or listeners[port.name].meaning
        if port.label or meaning:
            external = place.external(port.name).url(port.scheme, port.path)
            internal = Address(seen.host(service.name), port.number).url(port.scheme, port.path)
            yield ServiceEndpoint(service.name, port.label or port.name, meaning, external, internal)


def of_stack(local: Local) -> list[ServiceEndpoint]:
    """Every address of a stack: its services' first, then its catalogs'."""
    found = [each for service in local.services for each in of_service(service, local.place, local.listeners)]
    for at in local.endpoints.catalogs:
        for each in at.kind.addresses(at):
            external, internal = f"{at.external}{each.path}", f"{at.internal}{each.path}"
            found.append(ServiceEndpoint(at.service, each.label, each.meaning, external, internal))
    return list(dict.fromkeys(found))  # several catalogs may share a server
