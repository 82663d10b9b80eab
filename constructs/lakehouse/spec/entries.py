"""A kind in the file: a word (``store: minio``) or a mapping (``store: {kind: minio, ...}``)."""

from __future__ import annotations

from typing import Any

from pydantic import StrictStr, model_serializer

from lakehouse.spec.base import Model
from lakehouse.spec.values import Properties


class KindEntry(Model):
    """The kind of a part of a stack and its settings. A kind with its own keys has a subclass."""

    kind: StrictStr
    """The kind of the store or catalog."""
    properties: Properties = {}
    """Settings without a key of their own here, written unchanged into the service's configuration."""

    @model_serializer(mode="wrap")
    def _short(self, handler: Any) -> Any:
        """A word if only the kind is set, as in the file."""
        present = {key: value for key, value in handler(self).items() if key == "kind" or value not in (None, {})}
        return present if len(present) > 1 else self.kind

    def __str__(self) -> str:
        return self.kind

    def warehouse_of(self, catalog: str) -> str:
        """The name by which the server knows the catalog."""
        return catalog
