"""The interface of a kind of engine of pipelines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import PipelineRules


@dataclass(frozen=True, kw_only=True)
class PipelineKind(PipelineRules):
    """A kind of engine. ``services`` is asked only if a pipeline names it."""

    services: Callable[[Place, Lakehouse, Sequence[CatalogEndpoint]], tuple[Service, ...]]
