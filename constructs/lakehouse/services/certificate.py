"""Certificates of services, issued by an authority of the stack's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse.services.service import LOOPBACK, Address
from lakehouse.text.placeholders import Issued

AUTHORITY = "authority"  # the certificate by which a client trusts all others of the stack


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, PEM: made once, kept in the state folder, renewed before it ends.

    Its parts are placeholders for use in a :class:`lakehouse.services.service.File` alone.
    """

    name: str
    names: tuple[str, ...]  # the host names and IP addresses that it is for

    @classmethod
    def of(cls, service: str, host: str, external: Iterable[Address] = ()) -> Certificate:
        """The certificate of a service: for ``host``, as other services call it, and for its external addresses.

        It is for this machine's own names as well: a health check asks from where the service runs.
        """
        names = (host, *(each.host for each in external), "localhost", LOOPBACK)
        return cls(service, tuple(dict.fromkeys(names)))

    @property
    def key(self) -> Issued:
        """The private key."""
        return Issued(self.name, "key", self.names)

    @property
    def chain(self) -> Issued:
        """The certificate."""
        return Issued(self.name, "certificate", self.names)

    @property
    def authority(self) -> Issued:
        """The certificate to trust."""
        return Issued(AUTHORITY, "certificate", ())
