"""Partition fields and sort fields: ``day(ts)``, ``bucket(16, id)``, ``close desc nulls last``.

Transforms and the types each accepts: https://iceberg.apache.org/spec/#partition-transforms
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from lakehouse.iceberg import names, types
from lakehouse.text.words import listed, suggest

_TIMESTAMPS = ("timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns")
_DATES = ("date", *_TIMESTAMPS)
_TAKES = {  # transform -> names of the types that it accepts; None: every primitive type
    "identity": None,
    "void": None,
    "year": _DATES,
    "month": _DATES,
    "day": _DATES,
    "hour": _TIMESTAMPS,
    "bucket": ("int", "long", "decimal", "date", "time", *_TIMESTAMPS, "string", "uuid", "fixed", "binary"),
    "truncate": ("int", "long", "decimal", "string", "binary"),
}
_ARGUMENT = {"bucket": "number of buckets", "truncate": "width"}
_ELSEWHERE = {"years": "year", "months": "month", "days": "day", "hours": "hour", "date": "day", "trunc": "truncate"}
_COLUMN = rf"{names.WORD}(?:\.{names.WORD})*"


class Term(NamedTuple):
    """A transform of a column, as Iceberg writes it: ``("bucket[16]", "id")``; the column itself is ``identity``.

    ``column`` is a column's name, or the path to a field of a struct: ``address.city``.
    """

    transform: str
    column: str

    def __str__(self) -> str:
        if self.name == "identity":
            return self.column
        return f"{self.name}({f'{self.argument}, ' if self.argument else ''}{self.column})"

    @property
    def name(self) -> str:
        """The transform without its argument."""
        return self.transform.partition("[")[0]

    @property
    def argument(self) -> int | None:
        """The N of bucket and truncate."""
        _, _, rest = self.transform.partition("[")
        return int(rest.rstrip("]")) if rest else None

    @property
    def field_name(self) -> str:
        """The partition field's name, as Iceberg's own builders give it."""
        match self.name:
            case "identity":
                return self.column
            case "bucket":
                return f"{self.column}_bucket_{self.argument}"
            case "truncate":
                return f"{self.column}_trunc_{self.argument}"
            case "void":
                return f"{self.column}_null"
            case name:
                return f"{self.column}_{name}"


class SortTerm(NamedTuple):
    """A term with its direction (``asc``, ``desc``) and null order (``nulls-first``, ``nulls-last``).

    Nulls come first when ascending and last when descending, unless the file says otherwise.
    """

    term: Term
    direction: str = "asc"
    null_order: str = "nulls-first"

    @property
    def full(self) -> str:
        """The term with its direction and null order, also if they are the usual ones: ``close asc nulls first``."""
        return f"{self.term} {self.direction} {self.null_order.replace('-', ' ')}"

    def __str__(self) -> str:
        usual = "nulls-first" if self.direction == "asc" else "nulls-last"
        return (
            str(self.term)
            + (" desc" if self.direction == "desc" else "")
            + ("" if self.null_order == usual else f" {self.null_order.replace('-', ' ')}")
        )


@lru_cache(maxsize=4096)
def partition_field(text: str) -> Term:
    """Read an entry of ``partition_by``. Raises ValueError with the value, the rule and the fix."""
    if re.fullmatch(_COLUMN, text, re.ASCII):
        return Term("identity", text)
    match = re.fullmatch(rf"\s*(\w+)\s*\(\s*(?:(\w+)\s*,\s*)?({_COLUMN})\s*\)\s*", text, re.ASCII)
    if not match:
        hint = ". In [...] and {...} a value with a comma is quoted" if text.count("(") != text.count(")") else ""
        raise ValueError(
            f'"{text}" is neither a column nor a transform of one: day(ts), bucket(16, id), truncate(4, name){hint}'
        )
    name, argument, column = match.groups()
    if name not in _TAKES:
        fix = f' Did you mean "{_ELSEWHERE[name]}"?' if name in _ELSEWHERE else suggest(name, _TAKES)
        raise ValueError(f'"{name}" in "{text}" is not a transform: {listed(_TAKES)}.{fix}')
    if name not in _ARGUMENT:
        if argument:
            raise ValueError(f'"{text}" has one number too many: write {name}({column})')
        return Term(name, column)
    if not argument or not re.fullmatch(r"[1-9]\d{0,8}", argument, re.ASCII):
        raise ValueError(f'"{text}" needs the {_ARGUMENT[name]}, a whole number from 1: {name}(16, {column})')
    return Term(f"{name}[{int(argument)}]", column)


@lru_cache(maxsize=4096)
def sort_field(text: str) -> SortTerm:
    """Read an entry of ``sort_by``. Raises ValueError with the value, the rule and the fix."""
    words, nulls, direction = text.split(), "", "asc"
    if len(words) > 2 and words[-2].lower() == "nulls" and words[-1].lower() in ("first", "last"):
        *words, _, nulls = words
    if len(words) > 1 and words[-1].lower() in ("asc", "desc"):
        *words, direction = words
    field = " ".join(words)
    before, opened, argument = field.partition("(")
    if len(words := [*before.split(), *(argument.rpartition(")")[2] if opened else "").split()]) > 1:
        raise ValueError(
            f'"{words[1]}" is wrong in "{text}": write a column or transform, asc or desc, nulls first or nulls last'
        )
    descending = direction.lower() == "desc"
    return SortTerm(
        partition_field(field),
        "desc" if descending else "asc",
        f"nulls-{nulls.lower() or ('last' if descending else 'first')}",
    )


def takes(name: str, kind: types.Type) -> bool:
    """Whether the transform accepts values of this primitive type; an unknown transform accepts any."""
    allowed = _TAKES.get(name)
    return allowed is None or types.base(str(kind)) in allowed


def refusal(transform: Term, columns: Mapping[str, types.Type]) -> str | None:
    """Why a table with these columns cannot have the transform, or None."""
    name, *path = transform.column.split(".")
    if name not in columns:
        return f'"{transform.column}" is not a column of the table.{suggest(name, columns)}'
    kind = columns[name]
    for part in path:
        fields = {field.name: field.type for field in kind.fields} if isinstance(kind, types.Struct) else {}
        if part not in fields:
            return f'"{transform.column}" is not a field of a struct: "{part}" is not in {kind}.{suggest(part, fields)}'
        kind = fields[part]
    if isinstance(kind, types.List | types.Map | types.Struct):
        return f'"{transform}" does not fit: "{transform.column}" is {kind}, and only primitive types do'
    if takes(transform.name, kind):
        return None
    allowed = _TAKES[transform.name]
    assert allowed is not None
    timely = transform.name in ("year", "month", "day", "hour")
    instead = f'. Make it timestamptz, or use "{transform.column}" itself' if timely else ""
    why = f'"{transform.column}" is {kind}, but {transform.name} needs {listed(allowed)}'
    return f'"{transform}" does not fit: {why}{instead}'
