"""Certificates of services, issued by the stack's own authority."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse.services.service import LOOPBACK, Address
from lakehouse.text.placeholders import Issued, Keystore

AUTHORITY = "authority"  # the certificate by which a client trusts all others of the stack
TRUSTED = Issued(AUTHORITY, "certificate", ())


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, in PEM. It is made once, kept in the state folder, and renewed before it expires.

    Its parts are placeholders, for use only in a :class:`lakehouse.services.service.File`.
    """

    name: str
    names: tuple[str, ...]  # the host names and IP addresses for which it is valid

    @classmethod
    def of(cls, service: str, host: str, external: Iterable[Address] = ()) -> Certificate:
        """The certificate of a service, valid for ``host``, its name for other services, and its external addresses.

        It is also valid for the loopback names, because health checks run where the service runs.
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
    def keystore(self) -> Keystore:
        """Both, as Java's servers read them."""
        return Keystore(self.key, self.chain)

    @property
    def authority(self) -> Issued:
        """The certificate to trust."""
        return TRUSTED
