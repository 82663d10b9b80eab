"""Iceberg types as small values, read from and written as text: ``decimal(10, 2)``, ``struct<a: required int>``.

Types and their rules: https://iceberg.apache.org/spec/#schemas-and-data-types. PyIceberg has such a model too;
importing it takes seconds, which every synth would need. The values are named tuples and strings, because a plan
compares tens of thousands of schemas. Ids, docs and defaults of fields are not part of the text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, Union

from lakehouse.iceberg import names as field_names
from lakehouse.text.words import suggest

PRIMITIVES = frozenset({
    "boolean", "int", "long", "float", "double", "date", "time", "timestamp", "timestamptz", "timestamp_ns",
    "timestamptz_ns", "string", "uuid", "binary", "unknown",
})  # fmt: skip
VERSION_3 = frozenset({"timestamp_ns", "timestamptz_ns", "unknown"})  # need format_version: 3
NOT_YET = frozenset({"variant", "geometry", "geography"})  # in Iceberg's format 3, not in PyIceberg 0.11

_PARAMETRIC = ("decimal(10, 2)", "fixed[16]", "list<string>", "map<string, long>", "struct<a: int>")
_ELSEWHERE = {  # their names in SQL dialects and other systems
    "bigint": "long", "int8": "long", "int64": "long", "integer": "int", "int32": "int", "smallint": "int",
    "tinyint": "int", "short": "int", "byte": "int", "bool": "boolean", "text": "string", "varchar": "string",
    "char": "string", "str": "string", "real": "float", "float64": "double", "float32": "float",
    "datetime": "timestamp",
    "timestamp_tz": "timestamptz", "timestamp_ltz": "timestamptz", "timestamp_ntz": "timestamp", "bytes": "binary",
    "varbinary": "binary", "blob": "binary", "guid": "uuid", "numeric": "decimal(38, 0)", "number": "decimal(38, 0)",
    "array": "list<string>", "row": "struct<a: int>", "json": "string",
}  # fmt: skip


#: The id of a field that has none yet: only a table's metadata assigns ids.
NO_ID = 0


class Field(NamedTuple):
    """A column, or a field of a struct."""

    id: int
    name: str
    type: Type
    required: bool = False
    doc: str | None = None
    initial_default: Any = None
    write_default: Any = None

    def __str__(self) -> str:
        return f"{self.name}: {_optional(self.required)}{self.type}"


class Struct(NamedTuple):
    """Named fields, in order; also a whole schema."""

    fields: tuple[Field, ...]

    def __str__(self) -> str:
        return f"struct<{', '.join(map(str, self.fields))}>"


class List(NamedTuple):
    """A list; with ``element_required`` no element is null."""

    element_id: int
    element: Type
    element_required: bool = False

    def __str__(self) -> str:
        return f"list<{_optional(self.element_required)}{self.element}>"


class Map(NamedTuple):
    """A map; keys are never null, values are not with ``value_required``."""

    key_id: int
    key: Type
    value_id: int
    value: Type
    value_required: bool = False

    def __str__(self) -> str:
        return f"map<{self.key}, {_optional(self.value_required)}{self.value}>"


#: A primitive type is its text, in one spelling: ``long``, ``decimal(10, 2)``, ``fixed[16]``.
Type = Union[str, Struct, List, Map]  # noqa: UP007 - recursive aliases need it on 3.11


def _optional(required: bool) -> str:
    return "required " if required else ""


def base(primitive: str) -> str:
    """The name of a primitive type without its parameters: ``decimal`` of ``decimal(10, 2)``."""
    return primitive.partition("(")[0].partition("[")[0]


def names(kind: Type) -> frozenset[str]:
    """The names of all primitive types in it, without parameters."""
    match kind:
        case List():
            return names(kind.element)
        case Map():
            return names(kind.key) | names(kind.value)
        case Struct(fields):
            return frozenset().union(*(names(field.type) for field in fields))
        case _:
            return frozenset({base(kind)})


def fields(kind: Type, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field of every struct in the type, also in lists and values of maps, by its path (``element.code``)."""
    match kind:
        case Struct(inner):
            for field in inner:
                yield prefix + field.name, field
                yield from fields(field.type, f"{prefix}{field.name}.")
        case List():
            yield from fields(kind.element, f"{prefix}element.")
        case Map():
            yield from fields(kind.value, f"{prefix}value.")


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Type:
    """Read a type; ``str`` of the result is its canonical text.

    Raises ValueError with the value, the rule and the fix.
    """
    return _Parser(text).whole()


_DEEPEST = 50  # levels of nested types; real types have about five
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(\d+)|([<>()\[\],:])|(\S))")


class _Parser:
    """Recursive descent over one text; ``type`` reads a type, ``whole`` a type and the end."""

    def __init__(self, text: str) -> None:
        self.text = text
        found = [
            (match.group(match.lastindex or 0), match.span(match.lastindex or 0))
            for match in _TOKEN.finditer(text.rstrip())
        ]
        self.tokens = [token for token, _ in found]
        self.spans = [span for _, span in found]
        self.next = 0
        self.depth = 0

    def whole(self) -> Type:
        kind = self.type()
        if self.next < len(self.tokens):
            raise self.error(f'nothing may follow "{kind}", but "{self.tokens[self.next]}" does')
        return kind

    def error(self, why: str) -> ValueError:
        return ValueError(f'"{self.text}" is not an Iceberg type: {why}')

    def peek(self) -> str:
        return self.tokens[self.next] if self.next < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.next += 1
        return token

    def expect(self, token: str) -> None:
        found = self.take()
        if not found:
            raise self.error(
                f'it ends before the expected "{token}". In [...] and {{...}} a type with a comma is quoted'
            )
        if found != token:
            raise self.error(f'"{found}" is not the expected "{token}"')

    def number(self, what: str, low: int, high: int) -> int:
        found = self.take()
        if not found.isascii() or not found.isdigit() or len(found) > 9 or not low <= int(found) <= high:
            raise self.error(f'the {what} is a whole number from {low} to {high}, not "{found}"')
        return int(found)

    def required(self) -> bool:
        following = self.tokens[self.next + 1 : self.next + 2]
        if self.peek() == "required" and following and (following[0][0].isalpha() or following[0][0] == "_"):
            self.next += 1
            return True
        return False

    def type(self) -> Type:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"it has more than {_DEEPEST} nested levels. Make it flatter")
        kind = self.inner()
        self.depth -= 1
        return kind

    def inner(self) -> Type:
        name = self.take()
        match name:
            case "decimal":
                self.expect("(")
                precision = self.number("precision", 1, 38)
                self.expect(",")
                scale = self.number("scale", 0, precision)
                self.expect(")")
                return f"decimal({precision}, {scale})"
            case "fixed":
                self.expect("[")
                length = self.number("length", 1, 2**29)
                self.expect("]")
                return f"fixed[{length}]"
            case "list":
                self.expect("<")
                required = self.required()
                element = self.type()
                self.expect(">")
                return List(NO_ID, element, required)
            case "map":
                self.expect("<")
                key = self.type()
                self.expect(",")
                required = self.required()
                value = self.type()
                self.expect(">")
                return Map(NO_ID, key, NO_ID, value, required)
            case "struct":
                return self.struct()
        if name in PRIMITIVES:
            return name
        raise self.unknown(name)

    def name(self) -> str:
        """A field's name: everything before the colon, or before a character that cannot be part of it."""
        first = self.next
        while self.peek() and not (len(self.peek()) == 1 and self.peek() in ":,<>()[]"):
            self.next += 1
        if self.next == first:
            return self.take()
        return self.text[self.spans[first][0] : self.spans[self.next - 1][1]]

    def struct(self) -> Struct:
        self.expect("<")
        fields: dict[str, Field] = {}
        while True:
            name = self.name()
            if not re.fullmatch(field_names.COLUMN, name):
                raise self.error(f'"{name}" is not a name for a field: {field_names.COLUMN_RULE}')
            if name.lower() in fields:
                raise self.error(f'the field "{name}" appears twice (engines do not distinguish a and A)')
            self.expect(":")
            required = self.required()
            fields[name.lower()] = Field(NO_ID, name, self.type(), required)
            if self.peek() != ",":
                break
            self.next += 1
        self.expect(">")
        return Struct(tuple(fields.values()))

    def unknown(self, name: str) -> ValueError:
        if name.lower() in NOT_YET:
            return ValueError(f'"{name}" is an Iceberg type that cannot be created yet. Use string or binary')
        if not name:
            return self.error("a type is missing. In [...] and {...} a type with a comma is quoted")
        hint = _ELSEWHERE.get(name.lower())
        fix = f' Did you mean "{hint}"?' if hint else suggest(name, [*sorted(PRIMITIVES), *_PARAMETRIC])
        fix = fix or f" Types are {', '.join(sorted(PRIMITIVES))}, {', '.join(_PARAMETRIC)}."
        return ValueError(f'"{name}" is not an Iceberg type.{fix}')
