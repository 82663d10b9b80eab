"""The interface of a kind of query engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.kinds.platform.proxy import Route
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import EngineRules


@dataclass(frozen=True, kw_only=True)
class EngineKind(EngineRules):
    """A kind of engine. Its word is its key in ``engines``. ``services`` returns none if the file does not name it.

    They send lineage to the last argument; None: to nobody. ``routes`` returns the ways to them through the proxy of a
    secure stack. ``measured`` returns one of them as a stack with `monitoring` has it.
    """

    services: Callable[[Place, Lakehouse, Sequence[CatalogEndpoint], Receiver | None], tuple[Service, ...]]
    routes: Callable[[Place, Lakehouse], Sequence[Route]] = lambda place, lakehouse: ()
    measured: Callable[[Service], Service] = lambda service: service
