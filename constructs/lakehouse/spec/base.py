"""The base class of lakehouse.yaml's model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from lakehouse.spec.described import WithDocstrings


class Model(BaseModel):
    """A part of the file: an immutable value. An unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def model_json_schema(cls, *given: Any, **named: Any) -> dict[str, Any]:
        """The JSON Schema, with the fields' docstrings as descriptions."""
        return super().model_json_schema(*given, **{"schema_generator": WithDocstrings, **named})

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


@dataclass(frozen=True)
class YesNoOr:
    """In the JSON Schema, an annotated field is true, false, or what ``model`` describes."""

    model: type[Model]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "boolean"}, handler(self.model.__pydantic_core_schema__)]}


def or_empty(value: Any) -> Any:
    """Treat a key without a value (``warehouse:``) as an empty mapping, so that its defaults apply."""
    return {} if value is None else value


def neither(value: Any, example: str) -> str:
    """The message of a value that is neither true, nor false, nor a mapping as in the example."""
    shown = f'"{value}"' if isinstance(value, str) else "a list" if isinstance(value, list) else str(value)
    return f"{shown} should be true, false or a mapping, as in {example}"
