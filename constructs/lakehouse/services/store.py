"""The object store as the other services see it, whatever kind it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoreEndpoint:
    """Where the store answers: ``internal`` for services, ``external`` for a person and the bootstrap.

    The keys are placeholders of :meth:`Place.secret`, never the secrets themselves.
    """

    service: str
    internal: str
    external: str
    region: str
    access_key: str
    secret_key: str
