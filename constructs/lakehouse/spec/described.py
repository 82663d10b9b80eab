"""The descriptions in the JSON Schema: the docstrings of the model's fields.

Pydantic's ``use_attribute_docstrings`` reads the sources of all classes whenever they are imported, which was a sixth
of the time in which the model is imported and a file is read. Few commands need a description.
"""

from __future__ import annotations

import ast
import inspect
import textwrap

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class WithDocstrings(GenerateJsonSchema):
    """Pydantic's generator, with a description for each field that has a docstring and no other description."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        texts = descriptions(model)
        properties = found.get("properties", {})
        for name, field in model.model_fields.items():
            alias = field.validation_alias if isinstance(field.validation_alias, str) else name
            if name in texts and alias in properties:
                properties[alias].setdefault("description", texts[name])
        return found


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings of a class's fields, those that it inherits too, by the fields' names."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            found |= _own(each)
    return found


def _own(model: type[BaseModel]) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match text:
                case ast.Expr(value=ast.Constant(value=str(words))):
                    found[field.target.id] = inspect.cleandoc(words)
    return found
