"""Values of a result, the same for every engine, as text and as JSON. Pure.

A value is None, a bool, int, float, Decimal, str, bytes, a list (ARRAY), a dict (ROW and STRUCT by their fields' names,
MAP by its keys as text), or :class:`JsonText`. Dates, times and intervals are text, because Python's own types have
neither nanoseconds nor years beyond 9999.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

#: What turns a value as an engine sends it into the one that is printed.
ValueDecoder = Callable[[Any], Any]

_CYCLE_DAYS, _CYCLE_YEARS = 146_097, 400  # after which the calendar repeats itself
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400 * 10**6  # microseconds


class JsonText(str):
    """A value of type JSON or VARIANT: text that is JSON already."""

    __slots__ = ()


def text(value: Any) -> str:
    """A value as text: 0x and hexadecimal for bytes, JSON for lists, maps and structs."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray):
        return f"0x{value.hex()}"
    if value is None or isinstance(value, dict | list | tuple):
        return as_json(value)
    return str(value)


def as_json(value: Any) -> str:
    """A value as JSON. What JSON has no exact form for is a string: decimals, bytes, times, NaN and Infinity."""
    if value is None:
        return "null"
    if isinstance(value, JsonText):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{as_json(str(name))}: {as_json(each)}" for name, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_json, value))}]"
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return text(value)
    return json.dumps(text(value), ensure_ascii=False)


def is_number(value: Any) -> bool:
    """Whether a column of such values reads best with its digits below each other."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def distinct(names: Sequence[str]) -> list[str]:
    """The names, with a number added to repeated ones, so that no value of a row is lost."""
    found: dict[str, None] = {}
    for name in names:
        unique, count = name, 2
        while unique in found:
            unique, count = f"{name}_{count}", count + 1
        found[unique] = None
    return list(found)


def date_text(days: int) -> str:
    """The date that many days after 1970-01-01, in ISO 8601, with a sign before years that four digits cannot show."""
    cycles, rest = divmod(days + _EPOCH - 1, _CYCLE_DAYS)
    day = date.fromordinal(rest + 1)
    year = day.year + cycles * _CYCLE_YEARS
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}-{day.month:02d}-{day.day:02d}"


def timestamp_text(micros: int) -> str:
    """The time that many microseconds after 1970-01-01, in ISO 8601."""
    days, rest = divmod(micros, _DAY)
    return f"{date_text(days)} {time_text(rest)}"


def time_text(micros: int) -> str:
    """The time of day that many microseconds after midnight; hours may be more than 23, as in an interval."""
    seconds, fraction = divmod(micros, 10**6)
    return trimmed(f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}")


def interval_text(micros: int) -> str:
    """INTERVAL DAY TO SECOND as SQL writes it: ``2 03:04:05.678``."""
    days, rest = divmod(abs(micros), _DAY)
    return f"{'-' if micros < 0 else ''}{days} {time_text(rest)}"


def months_text(months: int) -> str:
    """INTERVAL YEAR TO MONTH as SQL writes it: ``1-2``."""
    years, rest = divmod(abs(months), 12)
    return f"{'-' if months < 0 else ''}{years}-{rest}"


def trimmed(time: str) -> str:
    """A time without the zeros at the end of its fraction: the same time in every precision looks the same."""
    return time.rstrip("0").rstrip(".") if "." in time else time


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)
