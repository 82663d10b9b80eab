"""When the certificates of a stack end, and the keys that sign its tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse.runtimes import certificates, credentials, tokens
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service

_DAY = 86_400


@dataclass(frozen=True)
class Lifetime:
    """From when to when something is valid, in seconds since 1970."""

    begin: float
    end: float

    @property
    def late(self) -> float:
        """From when on it should be renewed: 30 days before its end, or in the last third of a shorter life."""
        return self.end - min(certificates.RENEWED_DAYS * _DAY, (self.end - self.begin) / 3)


def endings(state: State, services: Iterable[Service]) -> dict[str, Lifetime]:
    """Their lifetimes by the credential's name. What is not made yet is left out."""
    found: dict[str, Lifetime] = {}
    for name, each in credentials.known(services).items():
        if each.certificate is not None:
            if certificates.is_there(state, each.certificate.certificate):
                found[name] = Lifetime(*certificates.lifetime(state, each.certificate.certificate))
        elif each.kind == "tokens" and tokens.is_there(state, name):
            end = tokens.end(state, name)
            found[name] = Lifetime(end - certificates.DAYS * _DAY, end)
    return found
