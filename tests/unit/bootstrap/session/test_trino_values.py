from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bootstrap.session.trino_values import decoder


def signature(name: str, *arguments: Any) -> dict[str, Any]:
    return {"rawType": name, "arguments": [{"value": each} for each in arguments]}


def field(name: str | None, of: dict[str, Any]) -> dict[str, Any]:
    return {"typeSignature": of} | ({"fieldName": {"name": name}} if name else {})


BIGINT, DOUBLE, TIMESTAMP = signature("bigint"), signature("double"), signature("timestamp", 9)


@pytest.mark.parametrize(
    ("of", "sent", "expected"),
    [
        (BIGINT, None, None),
        (BIGINT, 2**63 - 1, 2**63 - 1),
        (DOUBLE, "Infinity", float("inf")),
        (signature("decimal", 38, 2), "1.10", Decimal("1.10")),
        (signature("varbinary"), "Af8=", b"\x01\xff"),
        (TIMESTAMP, "+12026-01-01 00:00:00.123456789", "+12026-01-01 00:00:00.123456789"),
        (TIMESTAMP, "2026-01-01 00:00:00.100000000", "2026-01-01 00:00:00.1"),
        (signature("timestamp with time zone", 3), "2026-01-01 10:00:00.000 UTC", "2026-01-01 10:00:00+00:00"),
        (signature("timestamp with time zone", 3), "2026-01-01 10:00:00.000 +02:00", "2026-01-01 10:00:00+02:00"),
        (signature("timestamp with time zone", 1), "2026-01-01 10:00:00.5 Asia/Tokyo", "2026-01-01 10:00:00.5 Asia/Tokyo"),  # noqa: E501
        (signature("time with time zone", 1), "10:00:00.0-03:30", "10:00:00-03:30"),
        (signature("interval year to month"), "-1-0", "-1-0"),
        (signature("interval day to second"), "2 03:04:05.000", "2 03:04:05"),
        (signature("array", TIMESTAMP), ["2026-01-01 00:00:00.0", None], ["2026-01-01 00:00:00", None]),
        (signature("map", BIGINT, DOUBLE), {"1": 0.5}, {"1": 0.5}),
        (signature("map", DOUBLE, BIGINT), {"1.0E10": 1}, {"10000000000.0": 1}),
        (signature("map", signature("boolean"), BIGINT), {"false": None}, {"false": None}),
        (signature("map", signature("row", field("a", BIGINT)), BIGINT), {"[1]": 1}, {"[1]": 1}),
        (signature("row", field("a", BIGINT), field(None, DOUBLE)), [1, 0.5], {"a": 1, "field1": 0.5}),
        (signature("row", field("a", BIGINT), field("a", BIGINT)), [1, 2], {"a": 1, "a_2": 2}),
        (signature("ipaddress"), "10.0.0.1", "10.0.0.1"),
    ],
)  # fmt: skip
def test_values_as_they_are_sent(of: dict[str, Any], sent: Any, expected: Any) -> None:
    assert decoder(of)(sent) == expected
