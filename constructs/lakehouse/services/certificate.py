"""Certificates of services, issued by the stack's own authority."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lakehouse.services.service import LOOPBACK, Address
from lakehouse.text.placeholders import Issued, Keystore

AUTHORITY = "authority"  # the certificate by which a client trusts all others of the stack
# The authority of ports for a service's own parts, if the user gives the certificate of the others: who has another
# certificate of the user's authority must not get in there.
INNER = "inner-authority"
AUTHORITIES = (AUTHORITY, INNER)
TRUSTED = Issued(AUTHORITY, "certificate", ())


@dataclass(frozen=True)
class Given:
    """The user's certificate for the services of a secure stack, as three files in PEM.

    ``certificate`` also has those between it and the authority. ``at`` is the place in the user's file that names them.
    """

    certificate: Path
    key: Path
    authority: Path
    at: str = "secure"


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, in PEM. It is made once, kept in the state folder, and renewed before it expires.

    Its parts are placeholders, for use only in a :class:`lakehouse.services.service.File`.
    """

    name: str
    names: tuple[str, ...]  # the host names and IP addresses for which it is valid
    signer: str = AUTHORITY

    @classmethod
    def of(cls, service: str, host: str, external: Iterable[Address] = ()) -> Certificate:
        """The certificate of a service, valid for ``host``, its name for other services, and its external addresses.

        It is also valid for the loopback names, because health checks run where the service runs.
        """
        names = (host, *(each.host for each in external), "localhost", LOOPBACK)
        return cls(service, tuple(dict.fromkeys(names)))

    @classmethod
    def inner(cls, service: str, host: str) -> Certificate:
        """The certificate of ports for a service's own parts, never given by the user."""
        return cls(f"{service}-inner", tuple(dict.fromkeys((host, "localhost", LOOPBACK))), INNER)

    @property
    def key(self) -> Issued:
        """The private key."""
        return Issued(self.name, "key", self.names, self.signer)

    @property
    def chain(self) -> Issued:
        """The certificate."""
        return Issued(self.name, "certificate", self.names, self.signer)

    @property
    def keystore(self) -> Keystore:
        """Both, as Java's servers read them."""
        return Keystore(self.key, self.chain)

    @property
    def authority(self) -> Issued:
        """The certificate to trust."""
        return Issued(self.signer, "certificate", ())
