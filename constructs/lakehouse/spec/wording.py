"""Messages for pydantic's errors, in the terms of the file: the value, the rule and the fix."""

from __future__ import annotations

import functools
import re
from typing import Any

from pydantic_core import ErrorDetails

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.spec.source import MOST_DIGITS
from lakehouse.text.words import suggest

# Tags of unions in an error's location, and the class of each; None: a list.
_TAGS = {
    "<arn>": None,
    "<aws>": "AwsStack",
    "<local>": "LocalStack",
    "<narrowed>": "Narrowed",
    "<verbs>": None,
    "<who>": "Trusted",
}
_TAGGED = {"stacks": 2, "access": 5}  # where the tag is, by the first part


def location(detail: ErrorDetails) -> KeyPath:
    """The place of an error in the file. Pydantic's location also has the tag of a union and a mark for keys."""
    loc = detail["loc"]
    at = _tag(loc)
    if at is not None:
        loc = loc[:at] + loc[at + 1 :]
    return loc[:-1] if loc[-1:] == ("[key]",) and detail["type"] != "extra_forbidden" else loc


def _tag(loc: tuple[int | str, ...]) -> int | None:
    """The place of a union's tag in an error's location."""
    at = _TAGGED.get(str(loc[0])) if loc else None
    return at if at is not None and loc[at : at + 1] and loc[at] in _TAGS else None


def problem(detail: ErrorDetails) -> Problem:
    at = location(detail)
    message = _message(detail, at)
    # A missing key has no line, so its parent is reported.
    return Problem(at[:-1] if detail["type"] == "missing" else at, message, about=(at,))


def _message(detail: ErrorDetails, at: KeyPath) -> str:
    """The value, the rule and the fix, for each type of error that the model can raise."""
    value, context = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return f'"{at[-1]}" is missing: {_description(detail)}'
        case "extra_forbidden" | "unknown_key":
            known = context["known"] if "known" in context else _keys(detail)
            fix = suggest(at[-1], known) or f" Known keys: {', '.join(known)}."
            return f'"{at[-1]}" is not known here.{fix}'
        case "literal_error":
            allowed = _allowed(str(context["expected"]))
            if value is None:
                return f"it has no value, but should be one of {', '.join(allowed)}"
            return f"{_value(value)} is not one of {', '.join(allowed)}.{suggest(value, allowed)}"
        case "string_type":
            quoted = f'. Quote it: "{value}"' if isinstance(value, int | float) else ""
            return f"{_should_be(value)} text{quoted}"
        case "int_type" if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9_]+", value) and len(value) > MOST_DIGITS:
            return f"{value} has too many digits, but should be a whole number"
        case "int_type":
            return f"{_should_be(value)} a whole number"
        case "bool_type":
            return f"{_should_be(value)} true or false"
        case "list_type":
            return f"{_should_be(value)} a list" + (f". Write [{value}]" if _plain(value) else "")
        case "greater_than_equal":
            return f"{value} is too small: the minimum is {context['ge']}"
        case "less_than_equal":
            return f"{value} is too large: the maximum is {context['le']}"
        case "too_short":
            return "it is empty, but needs at least one entry"
        case "model_type" if context["class_name"] == "Column":
            what = "it has no value" if value is None else f"{_value(value)} is not a column"
            return f"{what}: write its Iceberg type, as in `close: double`"
        case _ if isinstance(value, dict):
            return "this mapping does not belong here"
        case _:
            return f"{_should_be(value)} a mapping of keys to values"


def _should_be(value: Any) -> str:
    return "it has no value, but should be" if value is None else f"{_value(value)} should be"


def _allowed(expected: str) -> list[str]:
    return [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _value(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f'"{value}"' if len(value) <= 80 else f'"{value[:77]}..."'
        case _:
            return str(value)


def _description(detail: ErrorDetails) -> str:
    """The description of a missing key in the schema."""
    parent = _schema(detail["loc"][:-1])
    text = str(parent.get("properties", {}).get(detail["loc"][-1], {}).get("description", ""))
    return " ".join(text.split()).rstrip(".")


def _keys(detail: ErrorDetails) -> list[str]:
    return list(_schema(detail["loc"][:-1]).get("properties", {}))


def _schema(loc: tuple[int | str, ...]) -> dict[str, Any]:
    """The JSON Schema of the place at an error's ``loc``."""
    whole = _whole_schema()

    def resolve(node: dict[str, Any]) -> dict[str, Any]:
        for option in node.get("anyOf", []):
            if "$ref" in option or "properties" in option:
                node = option
        return whole["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node

    node, tag = whole, _tag(loc)
    for depth, part in enumerate(loc):
        if depth == tag:
            node = whole["$defs"].get(_TAGS[str(part)], {})
        else:
            properties = node.get("properties", {})
            entries = [*node.get("patternProperties", {}).values(), node.get("additionalProperties", {})]
            node = properties[part] if part in properties else entries[0]
        node = resolve(node) if isinstance(node, dict) else {}
    return node


@functools.cache
def _whole_schema() -> dict[str, Any]:
    return Lakehouse.model_json_schema()
