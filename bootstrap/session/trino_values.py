"""Values as Trino's protocol sends them. https://trino.io/docs/current/develop/client-protocol.html

Its Python client has a mapping of its own, which rounds to microseconds and knows no year beyond 9999.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bootstrap.session.values import JsonText, ValueDecoder, distinct, text, trimmed

_NUMBERS: Mapping[str, ValueDecoder] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), int),
    **dict.fromkeys(("double", "real"), float),  # NaN and Infinity come as these words
    **dict.fromkeys(("decimal", "number"), Decimal),
}
_OFFSET = re.compile(r"[+-]\d\d:\d\d")


def decoder(signature: Mapping[str, Any]) -> ValueDecoder:
    """What turns a value of a type into the one that is printed. Keys of maps come as text, whatever their type is."""
    known = _decoder(signature)
    return lambda value: None if value is None else known(value)


def _decoder(signature: Mapping[str, Any]) -> ValueDecoder:
    name = signature["rawType"]
    arguments = [each["value"] for each in signature.get("arguments", ())]
    if name in _NUMBERS:
        return _NUMBERS[name]
    if name == "array":
        element = decoder(arguments[0])
        return lambda value: [element(each) for each in value]
    if name == "map":
        return _map(decoder(arguments[0]), arguments[0]["rawType"], decoder(arguments[1]))
    if name == "row":
        return _row(arguments)
    return _SCALARS.get(name, lambda value: value)


def _row(fields: Sequence[Mapping[str, Any]]) -> ValueDecoder:
    # Trino's own command line calls a field without a name by its number, too.
    given = [((each.get("fieldName") or {}).get("name")) or f"field{n}" for n, each in enumerate(fields)]
    names = distinct(given)
    decoders = [decoder(each["typeSignature"]) for each in fields]
    return lambda value: {name: decode(each) for name, decode, each in zip(names, decoders, value, strict=True)}


def _map(key: ValueDecoder, of: str, value: ValueDecoder) -> ValueDecoder:
    nested = of in ("array", "map", "row")  # such keys come as a text of Trino's own, which cannot be read again
    return lambda found: {each if nested else text(key(each)): value(inner) for each, inner in found.items()}


def _zoned(value: str) -> str:
    """ISO 8601 where the zone is UTC or an offset; another zone keeps its name, behind a blank."""
    time, zone = value.rsplit(" ", 1)
    if zone == "UTC":
        return f"{trimmed(time)}+00:00"
    return f"{trimmed(time)}{zone}" if _OFFSET.fullmatch(zone) else f"{trimmed(time)} {zone}"


_SCALARS: Mapping[str, ValueDecoder] = {
    "boolean": lambda value: value == "true" if isinstance(value, str) else value,
    "varbinary": base64.b64decode,
    "json": JsonText,
    "time": trimmed,
    "timestamp": trimmed,
    "interval day to second": trimmed,
    "time with time zone": lambda value: f"{trimmed(value[:-6])}{value[-6:]}",
    "timestamp with time zone": _zoned,
}
