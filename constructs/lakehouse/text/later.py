"""Fields that came later: while one has its default, a value is as it was before there was such a field.

So what is remembered of a value (a service's digest above all) stays the same across versions of this project.
"""

from __future__ import annotations

from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any

_LATER = {"later": True}


def later(default: Any) -> Any:
    """A field of a dataclass that came later, with its default."""
    return field(default=default, metadata=_LATER)


def definition(value: Any) -> Any:
    """The value as :func:`dataclasses.asdict` has it, without fields that came later and have their default."""
    if isinstance(value, (list, tuple)):
        return [definition(each) for each in value]
    if not is_dataclass(value):
        return value
    return {
        each.name: definition(getattr(value, each.name))
        for each in fields(value)
        if not ("later" in each.metadata and each.default is not MISSING and getattr(value, each.name) == each.default)
    }
