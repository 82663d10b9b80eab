"""When the certificates of a stack end, and the keys that sign its tokens."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.runtimes import certificates, credentials, tokens
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def endings(state: State, services: Iterable[Service]) -> dict[str, float]:
    """Their ends by the credential's name, in seconds since 1970. What is not made yet is left out."""
    found: dict[str, float] = {}
    for name, each in credentials.known(services).items():
        if each.certificate is not None:
            if certificates.is_there(state, each.certificate.certificate):
                found[name] = certificates.end(state, each.certificate.certificate)
        elif each.kind == "tokens" and tokens.is_there(state, name):
            found[name] = tokens.end(state, name)
    return found
