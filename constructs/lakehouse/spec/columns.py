"""Values of a table's columns and layout: text as in the file, together with what it means, which is read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from lakehouse.iceberg import transforms, types
from lakehouse.iceberg.transforms import SortTerm, Term
from lakehouse.spec.nested import in_file, read
from lakehouse.spec.values import Parsed

_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class TypeText(str):
    """A type in its canonical form, and the type itself, in which fields of structs may have docs.

    ``former`` has former names of such fields by their paths: ``code``, ``element.code``, ``value.inner.code``.
    """

    parsed: types.Type
    former: Mapping[str, str]

    def __new__(cls, text: str, parsed: types.Type | None = None, former: Mapping[str, str] = _NO_NAMES) -> TypeText:
        """Raises ValueError with the value, the rule and the fix."""
        kind = types.parse(text) if parsed is None else parsed
        made = super().__new__(cls, kind)
        made.parsed, made.former = kind, former
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


@dataclass(frozen=True)
class _TypeRule:
    """The rule for a type: text, or a mapping. The model holds a :class:`TypeText`, and is written in the same form."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(lambda text: in_file(text.parsed, text.former))
        return core_schema.no_info_wrap_validator_function(
            _type_text, core_schema.str_schema(strict=True), serialization=written
        )


def _type_text(value: Any, text: Callable[[Any], str]) -> TypeText:
    if isinstance(value, TypeText):
        return value
    if isinstance(value, dict):
        kind, former = read(value)
        return TypeText(str(kind), kind, former)
    return TypeText(text(value))


ColumnType = Annotated[
    TypeText,
    _TypeRule(),
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
