"""The base class of lakehouse.yaml's model."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Model(BaseModel):
    """A part of the file: an immutable value. An unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_as_default(cls, value: Any) -> Any:
        """Treat a key without a value (``tables:``) as its default."""
        if not isinstance(value, dict):
            return value
        required = {name for name, field in cls.model_fields.items() if field.is_required()}
        return {
            key: item
            for key, item in value.items()
            if item is not None or key not in cls.model_fields.keys() - required
        }


def or_empty(value: Any) -> Any:
    """Treat a key without a value (``warehouse:``) as an empty mapping, so that its defaults apply."""
    return {} if value is None else value
