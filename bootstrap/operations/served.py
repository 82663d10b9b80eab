"""The certificates that a stack's ports serve: whose each is, and until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bootstrap.session.target import Target
from lakehouse.runtimes import certificates
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import AUTHORITIES, AUTHORITY, Given
from lakehouse.services.service import Port, Service
from lakehouse.text.placeholders import Issued

OWN = "the stack's own"


@dataclass(frozen=True)
class ServedCertificate:
    """A port's certificate. ``whose`` is the user's file, or that it is the stack's own.

    ``end`` is in seconds since 1970; None: it is not made yet.
    """

    port: str
    address: str
    certificate: str
    whose: str
    end: float | None


def of_stack(target: Target) -> list[ServedCertificate]:
    """Those of a stack, in the order of its services; none of one in AWS, which has no services on this machine.

    Raises LakehouseError if openssl is missing or fails.
    """
    return [] if target.in_aws else list(_served(target))


def _served(target: Target) -> Iterator[ServedCertificate]:
    local = target.located
    for service in local.services:
        own = _own(service)
        for port in service.ports:
            if port.encrypted and own:
                part = _of_port(service, port, own)
                at = f"{local.place.host(service.name)}:{port.number}"
                address = at if port.inner else str(local.place.external(port.name))
                whose = owner(part, local.given)
                yield ServedCertificate(port.name, address, part.certificate, whose, _end(local.state, part))


def _own(service: Service) -> Mapping[str, Issued]:
    """The certificates of a service that are its own, by the names of their authorities."""
    found = certificates.wanted([service]).values()
    return {part.signer: part for part in found if part.certificate not in AUTHORITIES}


def _of_port(service: Service, port: Port, own: Mapping[str, Issued]) -> Issued:
    """Ports for a service's own parts have an authority of their own; what clients use has the service's name."""
    for_clients = port.name == service.name or len(own) == 1
    return own[AUTHORITY] if for_clients else next(part for signer, part in own.items() if signer != AUTHORITY)


def owner(part: Issued, given: Given | None) -> str:
    """Whose certificate it is."""
    return f"yours, {given.certificate}" if given is not None and certificates.is_given(part) else OWN


def _end(state: State, part: Issued) -> float | None:
    there = certificates.is_there(state, part.certificate)
    return certificates.lifetime(state, part.certificate)[1] if there else None
