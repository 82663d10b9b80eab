"""The object store, whatever its kind: its addresses, and what a kind of store defines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.services.service import Place, Service
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import StoreRules
from lakehouse.text.placeholders import Text


@dataclass(frozen=True)
class StoreEndpoint:
    """The store's addresses: ``internal`` for services, ``external`` for a person and the bootstrap.

    The keys are placeholders of :meth:`Place.secret`, never the secrets themselves. In AWS the addresses and keys are
    empty: clients know the address, and use the environment's credentials.
    """

    service: str
    internal: str
    external: str
    region: str
    access_key: Text
    secret_key: Text


@dataclass(frozen=True, kw_only=True)
class StoreKind(StoreRules):
    """A kind of object store. ``service`` is None if it is AWS's own."""

    service: Callable[[Place, LocalStack], Service] | None = None
