"""Iceberg schemas with field ids: their JSON, and how fields get their ids.

Format: https://iceberg.apache.org/spec/#schemas-and-data-types, and its appendix C for the JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from lakehouse.iceberg import defaults, types
from lakehouse.iceberg.types import Field, List, Map, Struct, Type


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
    """One spelling of a primitive: servers differ in the spaces of ``decimal(10, 2)``. Unknown types stay unchanged."""
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
    """One spelling of a default value, the same as for the file's values. An unreadable value stays unchanged."""
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
    """The same type with fresh ids, a struct's own fields before nested ones, as Iceberg's TypeUtil gives them."""
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
