"""A kind as the file names it: a word (``store: minio``), or a mapping (``store: {kind: minio, ...}``)."""

from __future__ import annotations

from typing import Any

from pydantic import StrictStr, model_serializer

from lakehouse.spec.base import Model
from lakehouse.spec.values import Properties


class KindEntry(Model):
    """What carries a part of a stack: its kind, and what is set of it. A kind with keys of its own has a subclass."""

    kind: StrictStr
    """The kind, by its word."""
    properties: Properties = {}
    """What this file has no key for, written into the configuration of the service as it stands."""

    @model_serializer(mode="wrap")
    def _short(self, handler: Any) -> Any:
        """As the file says it: a word if nothing but the kind is set."""
        said = {key: value for key, value in handler(self).items() if key == "kind" or value not in (None, {})}
        return said if len(said) > 1 else self.kind

    def __str__(self) -> str:
        return self.kind
