"""The interface of a kind of query engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import EngineRules


@dataclass(frozen=True, kw_only=True)
class EngineKind(EngineRules):
    """A kind of engine. Its word is its key in ``engines``. ``services`` returns none if the file does not name it."""

    services: Callable[[Place, Lakehouse, Sequence[CatalogEndpoint]], tuple[Service, ...]]
