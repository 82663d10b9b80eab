"""Values of a table's columns and layout: text as in the file, together with what it means, which is read once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from lakehouse.iceberg import transforms, types
from lakehouse.iceberg.transforms import SortTerm, Term
from lakehouse.spec.values import Parsed


class TypeText(str):
    """A type in its canonical form, and the type itself."""

    parsed: types.Type

    def __new__(cls, text: str) -> TypeText:
        """Raises ValueError with the value, the rule and the fix."""
        kind = types.parse(text)
        made = super().__new__(cls, kind)
        made.parsed = kind
        return made


class LayoutText(str):
    """An entry of ``partition_by`` or ``sort_by``, and its term.

    It is valid as a value even if it has no term: the checks report ``wrong`` at its place in the list, next to what is
    wrong with the other entries.
    """

    term: Term
    wrong: str = ""  # the value, the rule and the fix, if it cannot be read


class PartitionText(LayoutText):
    """An entry of ``partition_by``."""

    def __new__(cls, text: str) -> PartitionText:
        made = super().__new__(cls, text)
        try:
            made.term = transforms.partition_field(text)
        except ValueError as error:
            made.wrong = str(error)
        return made


class SortText(LayoutText):
    """An entry of ``sort_by``, and its term with direction and null order."""

    sort: SortTerm

    def __new__(cls, text: str) -> SortText:
        made = super().__new__(cls, text)
        try:
            made.sort = transforms.sort_field(text)
            made.term = made.sort.term
        except ValueError as error:
            made.wrong = str(error)
        return made


def _type_text(value: Any) -> Any:
    """A type in the file, text or mapping, as text."""
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or next(iter(value)) not in ("struct", "list", "map"):
        raise ValueError("a type that is a mapping has one key: struct, list or map, as in {struct: {a: int}}")
    [(kind, inner)] = value.items()
    if kind == "list":
        return f"list<{_member(inner)}>"
    if kind == "map" and isinstance(inner, dict) and set(inner) == {"key", "value"}:
        return f"map<{_member(inner['key'])}, {_member(inner['value'])}>"
    if kind == "struct" and isinstance(inner, dict) and inner:
        return f"struct<{', '.join(f'{name}: {_member(member)}' for name, member in inner.items())}>"
    raise ValueError(
        f"{kind} must be as in {{struct: {{a: int}}}}, {{list: string}} or {{map: {{key: string, value: long}}}}"
    )


def _member(value: Any) -> str:
    """An element, a value or a field: a type, or ``{type: ..., required: true}``."""
    if isinstance(value, dict) and "type" in value:
        if not set(value) <= {"type", "required"} or not isinstance(value.get("required", False), bool):
            raise ValueError("an element, value or field is a type, or {type: ..., required: true}")
        return ("required " if value.get("required") else "") + _member(value["type"])
    text = _type_text(value)
    if not isinstance(text, str):
        raise ValueError("an element, key, value or field is a type, or {type: ..., required: true}")
    return text


ColumnType = Annotated[
    TypeText,
    Parsed(TypeText),
    BeforeValidator(_type_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": [*sorted(types.PRIMITIVES), "decimal(10, 2)", "list<string>"]},
                {"type": "object", "minProperties": 1, "maxProperties": 1},
            ]
        },
        mode="validation",
    ),
]
PartitionBy = Annotated[PartitionText, Parsed(PartitionText)]
SortBy = Annotated[SortText, Parsed(SortText)]
