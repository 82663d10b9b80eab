"""Fields that were added later. While one has its default, the value's definition does not contain it.

So what is stored of a value (above all a service's digest) stays the same across versions of this project.
"""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass
from typing import Any

_LATER = {"later": True}
ASIDE = {"aside": True}  # the metadata of a field that is not part of the definition


def later(default: Any) -> Any:
    """A field of a dataclass that was added later, with its default."""
    return field(default=default, metadata=_LATER)


def definition(value: Any) -> Any:
    """As :func:`dataclasses.asdict`, without the fields marked ``ASIDE`` and the later fields with their default."""
    if isinstance(value, (list, tuple)):
        return [definition(each) for each in value]
    if not is_dataclass(value):
        return value
    kept = [each for each in fields(value) if "aside" not in each.metadata]
    return {
        each.name: definition(getattr(value, each.name))
        for each in kept
        if "later" not in each.metadata or getattr(value, each.name) != each.default
    }
