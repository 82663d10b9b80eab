"""Whether a request fits botocore's model of a service: required members, kinds, sizes, patterns and words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
from botocore.validate import ParamValidator


def wrong(service: str, operation: str, request: Mapping[str, Any]) -> Iterator[str]:
    """What the service would refuse of a request, as far as its model says."""
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(dict(request), shape)
    if report.has_errors():
        yield report.generate_report()
    else:
        yield from _within("", shape, request)


def _within(at: str, shape: Any, value: Any) -> Iterator[str]:
    """What botocore itself does not check: most, patterns, words."""
    if shape.type_name == "structure":
        for key, each in value.items():
            yield from _within(f"{at}.{key}", shape.members[key], each)
        return
    if shape.type_name == "list":
        for nth, each in enumerate(value):
            yield from _within(f"{at}[{nth}]", shape.member, each)
        return
    limits = shape.metadata
    size = len(value) if isinstance(value, str) else value
    if not isinstance(value, bool) and not limits.get("min", size) <= size <= limits.get("max", size):
        yield f"{at} is {value!r}, of {limits.get('min')} to {limits.get('max')}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        yield f"{at} is {value!r}, and not like {limits['pattern']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{at} is {value!r}, of {', '.join(limits['enum'])}"
