"""The ports of a stack that lack a login or TLS, and what whoever reaches them gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bootstrap.session.target import Target
from lakehouse.services.service import Place, Port, Service
from lakehouse.spec.ports import is_plain

CHOSEN = "chosen at its start"  # the address of ports that a service chooses itself


@dataclass(frozen=True)
class Door:
    """A port without a login or without TLS. ``gives`` is what it gives without a login; empty: nothing."""

    port: str
    service: str
    address: str
    gives: str
    tls: bool


def of_stack(target: Target) -> list[Door]:
    """The doors of a stack, in the order of its services. One in AWS has none on this machine."""
    return [] if target.in_aws else list(doors(target.located.services, target.located.place))


def doors(services: Iterable[Service], place: Place) -> Iterator[Door]:
    """Those of these services, seen from outside of containers."""
    for service in services:
        for port in service.ports:
            if not port.closed:
                yield Door(port.name, service.name, _address(service, port, place), port.gives or "", port.encrypted)
        if (chosen := service.further) is not None and not chosen.closed:
            yield Door(chosen.name, service.name, CHOSEN, chosen.gives or "", chosen.encrypted)


def _address(service: Service, port: Port, place: Place) -> str:
    if not port.inner:
        return str(place.external(port.name))
    # On Docker, one that only other services need is in the containers' network.
    host = place.behind(service.name).host if is_plain(port.name) else place.host(service.name)
    return f"{host}:{port.number}"
