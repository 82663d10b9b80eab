"""A type as a mapping in the file: the form in which fields of structs have docs and former names.

``{struct: {code: {type: string, doc: "the symbol", renamed_from: ticker}}}``. Lists and maps are ``{list: TYPE}`` and
``{map: {key: TYPE, value: TYPE}}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lakehouse.iceberg import names, types
from lakehouse.iceberg.types import Field, List, Map, Struct, Type, fields

_MEMBER = "an element, key or value is a type, or {type: ..., required: true}"
_FIELD = "a field is a type, or {type: ..., required: true, doc: TEXT, renamed_from: NAME}"


def read(value: Mapping[str, Any]) -> tuple[Type, dict[str, str]]:
    """A type with the docs of its fields, and the former names of fields by their paths, as in ``element.code``.

    Raises ValueError with the rule and the fix.
    """
    kind = _documented(types.parse(_text(value)), value)
    return kind, dict(_former(value, ""))


def in_file(kind: Type, former: Mapping[str, str] | None = None) -> Any:
    """The type as text if that says everything, else as a mapping."""
    return _written(kind, former or {}, "")


def _written(kind: Type, former: Mapping[str, str], prefix: str) -> Any:
    if not any(field.doc is not None or path in former for path, field in fields(kind, prefix)):
        return str(kind)
    match kind:
        case List():
            return {"list": _member(_written(kind.element, former, f"{prefix}element."), kind.element_required)}
        case Map():
            value = _member(_written(kind.value, former, f"{prefix}value."), kind.value_required)
            return {"map": {"key": str(kind.key), "value": value}}
        case Struct(inner):
            return {"struct": {field.name: _field(field, former, prefix) for field in inner}}
    raise AssertionError(kind)


def _field(field: Field, former: Mapping[str, str], prefix: str) -> Any:
    path = prefix + field.name
    said = {"doc": field.doc, "renamed_from": former.get(path)}
    more = {key: text for key, text in said.items() if text is not None}
    return _member(_written(field.type, former, f"{path}."), field.required, more)


def _member(written: Any, required: bool, more: Mapping[str, str] | None = None) -> Any:
    said = {**({"required": True} if required else {}), **(more or {})}
    return {"type": written, **said} if said else written


def _text(value: Any, *, key: bool = False) -> Any:
    """A type in the file, text or mapping, as text."""
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or next(iter(value)) not in ("struct", "list", "map"):
        raise ValueError("a type that is a mapping has one key: struct, list or map, as in {struct: {a: int}}")
    [(kind, inner)] = value.items()
    if kind == "list":
        return f"list<{_member_text(inner, _MEMBER, key=key)}>"
    if kind == "map" and isinstance(inner, dict) and set(inner) == {"key", "value"}:
        of_value = _member_text(inner["value"], _MEMBER, key=key)
        return f"map<{_member_text(inner['key'], _MEMBER, key=True)}, {of_value}>"
    if kind == "struct" and isinstance(inner, dict) and inner:
        rule = _MEMBER if key else _FIELD
        members = (f"{_name(str(name))}: {_member_text(of, rule, key=key)}" for name, of in inner.items())
        return f"struct<{', '.join(members)}>"
    raise ValueError(
        f"{kind} must be as in {{struct: {{a: int}}}}, {{list: string}} or {{map: {{key: string, value: long}}}}"
    )


def _member_text(value: Any, rule: str, *, key: bool = False) -> str:
    """An element, a value or a field: a type, or a mapping with one. ``key``: in the key of a map."""
    if isinstance(value, dict) and "type" in value:
        known = {"type", "required", "doc", "renamed_from"} if rule is _FIELD else {"type", "required"}
        if not set(value) <= known or not isinstance(value.get("required", False), bool):
            why = " A map's keys never change, so their fields have no docs and former names" if key else ""
            raise ValueError(f"{rule}.{why}" if why else rule)
        for word in ("doc", "renamed_from"):
            if not isinstance(value.get(word, ""), str):
                raise ValueError(f"`{word}` of a field is text")
        if "renamed_from" in value:
            _name(value["renamed_from"])
        return ("required " if value.get("required") else "") + _member_text(value["type"], rule, key=key)
    text = _text(value, key=key)
    if not isinstance(text, str):
        raise ValueError(rule)
    if isinstance(value, str):  # by itself: in the text of the whole, a comma would begin the next field
        types.parse(re.sub(r"^\s*required\s+", "", text))
    return text


def _name(name: Any) -> str:
    if not isinstance(name, str) or not re.fullmatch(names.COLUMN, name):
        raise ValueError(f'"{name}" is not a name for a field: {names.COLUMN_RULE}')
    return name


def _documented(kind: Type, value: Any) -> Type:
    """The type with the docs of the mapping that it was read from."""
    inner = value.get("type", value) if isinstance(value, dict) else value
    if not isinstance(inner, dict):
        return kind
    match kind:
        case List():
            return kind._replace(element=_documented(kind.element, inner["list"]))
        case Map():
            return kind._replace(value=_documented(kind.value, inner["map"]["value"]))
        case Struct(known):
            return Struct(tuple(map(_described, known, inner["struct"].values())))
    raise AssertionError(kind)


def _described(field: Field, value: Any) -> Field:
    doc = value.get("doc") if isinstance(value, dict) and "type" in value else None
    return field._replace(type=_documented(field.type, value), doc=doc)


def _former(value: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """The former names in a mapping, by the paths of the fields."""
    inner = value.get("type", value) if isinstance(value, dict) else value
    if not isinstance(inner, dict):
        return
    if "list" in inner:
        yield from _former(inner["list"], f"{prefix}element.")
    elif "map" in inner:
        yield from _former(inner["map"]["value"], f"{prefix}value.")
    else:
        for name, of in inner["struct"].items():
            if isinstance(of, dict) and "renamed_from" in of:
                yield f"{prefix}{name}", of["renamed_from"]
            yield from _former(of, f"{prefix}{name}.")
