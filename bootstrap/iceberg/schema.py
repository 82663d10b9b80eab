"""Iceberg schemas as plain values with field ids, and their two written forms: the file's type text and Iceberg's JSON.

Named tuples and strings, not pyiceberg's models: a plan compares tens of thousands of schemas.
Format: https://iceberg.apache.org/spec/#schemas-and-data-types, and its appendix C for the JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Union

from lakehouse.iceberg import defaults, types

#: The id of a field that has none yet.
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


class Struct(NamedTuple):
    """A struct; also a whole schema."""

    fields: tuple[Field, ...]


class List(NamedTuple):
    """A list; its elements are optional unless said otherwise."""

    element_id: int
    element: Type
    element_required: bool = False


class Map(NamedTuple):
    """A map; its keys are always required."""

    key_id: int
    key: Type
    value_id: int
    value: Type
    value_required: bool = False


Type = Union[str, Struct, List, Map]  # noqa: UP007 - recursive aliases want it on 3.11


@lru_cache(maxsize=4096)
def type_from_text(text: str) -> Type:
    """The type that a file's text such as ``map<string, struct<a: required int>>`` means; its fields have no ids yet.

    Raises ValueError where the text is no type.
    """
    return _bare(types.parse(text))


def _bare(of: types.Type) -> Type:
    match of:
        case types.Struct(fields):
            return Struct(tuple(Field(NO_ID, f.name, _bare(f.type), f.required) for f in fields))
        case types.List(element, required):
            return List(NO_ID, _bare(element), required)
        case types.Map(key, value, required):
            return Map(NO_ID, _bare(key), NO_ID, _bare(value), required)
    return str(of)


def render_type(of: Type) -> str:
    """The text of a type as a file gives it; what a file cannot say (ids, nested docs) is left out."""
    if isinstance(of, Struct):
        return f"struct<{', '.join(f'{f.name}: {_required(f.required)}{render_type(f.type)}' for f in of.fields)}>"
    if isinstance(of, List):
        return f"list<{_required(of.element_required)}{render_type(of.element)}>"
    if isinstance(of, Map):
        return f"map<{render_type(of.key)}, {_required(of.value_required)}{render_type(of.value)}>"
    return of


def _required(required: bool) -> str:
    return "required " if required else ""


def type_from_json(data: Any) -> Type:
    """Iceberg's JSON of a type."""
    if isinstance(data, str):
        return _canonical(data)
    kind = data["type"]
    if kind == "struct":
        return struct_from_json(data)
    if kind == "list":
        return List(data["element-id"], type_from_json(data["element"]), data["element-required"])
    return Map(
        data["key-id"],
        type_from_json(data["key"]),
        data["value-id"],
        type_from_json(data["value"]),
        data["value-required"],
    )


@lru_cache(maxsize=1024)
def _canonical(primitive: str) -> str:
    """One spelling of a primitive: servers differ in the blanks of ``decimal(10, 2)``; the unknown passes unchanged."""
    try:
        return str(types.parse(primitive))
    except ValueError:
        return primitive


def struct_from_json(data: Mapping[str, Any]) -> Struct:
    """Iceberg's JSON of a struct or a schema."""
    return Struct(
        tuple(
            Field(
                f["id"],
                f["name"],
                type_from_json(f["type"]),
                f["required"],
                f.get("doc"),
                _default(f, "initial-default"),
                _default(f, "write-default"),
            )
            for f in data["fields"]
        )
    )


def _default(field: Mapping[str, Any], key: str) -> Any:
    """One spelling of a default value, as the file's values get it; one that cannot be read passes unchanged."""
    given = field.get(key)
    if given is None or not isinstance(field["type"], str):
        return given
    try:
        return defaults.value(_canonical(field["type"]), str(given))
    except ValueError:
        return given


def type_to_json(of: Type) -> Any:
    """Iceberg's JSON of a type; every field in it must have its id."""
    if isinstance(of, Struct):
        return {"type": "struct", "fields": [_field_to_json(field) for field in of.fields]}
    if isinstance(of, List):
        return {
            "type": "list",
            "element-id": of.element_id,
            "element": type_to_json(of.element),
            "element-required": of.element_required,
        }
    if isinstance(of, Map):
        return {
            "type": "map",
            "key-id": of.key_id,
            "key": type_to_json(of.key),
            "value-id": of.value_id,
            "value": type_to_json(of.value),
            "value-required": of.value_required,
        }
    return of


def _field_to_json(field: Field) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": field.id,
        "name": field.name,
        "required": field.required,
        "type": type_to_json(field.type),
    }
    for key, value in (
        ("doc", field.doc),
        ("initial-default", field.initial_default),
        ("write-default", field.write_default),
    ):
        if value is not None:
            data[key] = value
    return data


def number(of: Type, next_id: Callable[[], int]) -> Type:
    """The same type with fresh ids, a struct's own fields before what they hold, as Iceberg's TypeUtil gives them."""
    if isinstance(of, Struct):
        ids = [next_id() for _ in of.fields]
        return Struct(
            tuple(f._replace(id=i, type=number(f.type, next_id)) for i, f in zip(ids, of.fields, strict=True))
        )
    if isinstance(of, List):
        element_id = next_id()
        return of._replace(element_id=element_id, element=number(of.element, next_id))
    if isinstance(of, Map):
        key_id, value_id = next_id(), next_id()
        return of._replace(
            key_id=key_id, key=number(of.key, next_id), value_id=value_id, value=number(of.value, next_id)
        )
    return of


def walk(of: Type, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Each field that a partition, sort or identifier may name, by dotted path: in structs, not in lists or maps."""
    if isinstance(of, Struct):
        for field in of.fields:
            yield prefix + field.name, field
            if isinstance(field.type, Struct):
                yield from walk(field.type, f"{prefix}{field.name}.")
