"""What a kind of query engine defines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import EngineRules


@dataclass(frozen=True, kw_only=True)
class EngineKind(EngineRules):
    """A kind of engine, named by its word in ``engines`` of the file. ``services`` are none if the file lacks it."""

    services: Callable[[Place, Lakehouse, Sequence[CatalogEndpoint]], tuple[Service, ...]]
