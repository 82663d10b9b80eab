"""Default values of columns: from the file's text to the form in Iceberg's metadata, and back.

https://iceberg.apache.org/spec/#default-values and appendix D, "Single-value serialization"
"""

from __future__ import annotations

import datetime
import re
import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

_INTEGERS = {"int": 31, "long": 63}  # bits without the sign


def value(kind: str, text: str) -> Any:
    """The JSON value of ``text`` for a column of this type. Raises ValueError if it has none or the type is nested."""
    try:
        return _value(kind, text)
    except (ValueError, InvalidOperation, OverflowError):
        raise ValueError(f'"{text}" is not a value of {kind}{_EXAMPLES.get(kind.partition("(")[0], "")}') from None


_EXAMPLES = {
    "boolean": ": it is true or false",
    "date": ": it looks like 2026-01-14",
    "time": ": it looks like 09:30:00",
    "timestamp": ": it looks like 2026-01-14T09:30:00",
    "timestamptz": ": it looks like 2026-01-14T09:30:00+00:00",
    "binary": ": it is written in hexadecimal digits, two a byte",
    "fixed": ": it is written in hexadecimal digits, two a byte",
}


def _value(kind: str, text: str) -> Any:
    if kind in _INTEGERS:
        number = int(text)
        if not -(2 ** _INTEGERS[kind]) <= number < 2 ** _INTEGERS[kind]:
            raise ValueError
        return number
    if kind in ("float", "double"):
        return float(text)
    if found := re.fullmatch(r"decimal\((\d+), (\d+)\)", kind):
        return _decimal(Decimal(text), int(found[1]), int(found[2]))
    if found := re.fullmatch(r"fixed\[(\d+)\]", kind):
        return _hexadecimal(text, int(found[1]))
    match kind:
        case "boolean":
            return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _no()
        case "string":
            return text
        case "date":
            return datetime.date.fromisoformat(text).isoformat()
        case "time":
            return datetime.time.fromisoformat(text).replace(tzinfo=None).isoformat()
        case "timestamp":
            moment = datetime.datetime.fromisoformat(text)
            return moment.isoformat() if moment.tzinfo is None else _no()
        case "timestamptz":
            moment = datetime.datetime.fromisoformat(text)
            return _no() if moment.tzinfo is None else moment.astimezone(datetime.UTC).isoformat()
        case "uuid":
            return str(uuid.UUID(text))
        case "binary":
            return _hexadecimal(text, None)
    return _no()


def _no() -> Any:
    raise ValueError


def _decimal(number: Decimal, precision: int, scale: int) -> str:
    exact = number.quantize(Decimal(1).scaleb(-scale))
    if exact != number or len(exact.as_tuple().digits) > precision:
        raise ValueError
    return f"{exact:f}"


def _hexadecimal(text: str, width: int | None) -> str:
    data = bytes.fromhex(text)
    if width is not None and len(data) != width:
        raise ValueError
    return data.hex()
