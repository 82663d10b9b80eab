"""The interface of a kind of engine of pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import PipelineRules
from lakehouse.text.placeholders import Text


@dataclass(frozen=True, kw_only=True)
class PipelineKind(PipelineRules):
    """A kind of engine. ``services`` is asked only if a pipeline names it. ``measured`` returns one of them as a stack
    with `monitoring` has it.
    """

    services: Callable[[Place, Lakehouse, Sequence[CatalogEndpoint]], tuple[Service, ...]]
    measured: Callable[[Place, Service], Service] = lambda place, service: service


def catalog_settings(at: CatalogEndpoint) -> Mapping[str, Text]:
    """The settings of a catalog, as Iceberg's library has them."""
    return {key.removeprefix("."): value for key, value in at.kind.for_spark(at).items() if key.startswith(".")}


def password_of(pipeline: str) -> str:
    """The name of the secret that is the password of what a pipeline reads."""
    return f"pipeline-{pipeline}"
