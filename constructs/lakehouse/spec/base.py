"""What the classes of lakehouse.yaml's model have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Model(BaseModel):
    """What all parts of the file share: they are values, and a key that is not known is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        """A key with nothing after it (``tables:``) means its default."""
        if not isinstance(value, dict):
            return value
        required = {name for name, field in cls.model_fields.items() if field.is_required()}
        return {
            key: item
            for key, item in value.items()
            if item is not None or key not in cls.model_fields.keys() - required
        }


def or_empty(value: Any) -> Any:
    """A key with nothing after it (``warehouse:``) means the defaults."""
    return {} if value is None else value
