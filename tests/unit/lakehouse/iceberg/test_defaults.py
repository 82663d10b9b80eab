"""Default values: from the file's text to Iceberg's JSON."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.iceberg import defaults

# https://iceberg.apache.org/spec/, appendix D, "Single-value serialization"
GOOD: list[tuple[str, str, Any]] = [
    ("boolean", "true", True),
    ("boolean", "False", False),
    ("int", "-34", -34),
    ("int", "2147483647", 2147483647),
    ("long", "-9223372036854775808", -(2**63)),
    ("float", "1", 1.0),
    ("double", "1e3", 1000.0),
    ("decimal(9, 2)", "14.2", "14.20"),
    ("decimal(9, 2)", "-0.05", "-0.05"),
    ("decimal(3, 0)", "999", "999"),
    ("date", "2017-11-16", "2017-11-16"),
    ("time", "22:31:08.123456", "22:31:08.123456"),
    ("time", "22:31", "22:31:00"),
    ("timestamp", "2017-11-16T22:31:08.123456", "2017-11-16T22:31:08.123456"),
    ("timestamp", "2017-11-16 22:31", "2017-11-16T22:31:00"),
    ("timestamptz", "2017-11-16T22:31:08+02:00", "2017-11-16T20:31:08+00:00"),
    ("timestamptz", "2017-11-16T22:31:08Z", "2017-11-16T22:31:08+00:00"),
    ("string", "", ""),
    ("string", "007", "007"),
    ("uuid", "F79C3E09-677C-4BBD-A479-3F349CB785E7", "f79c3e09-677c-4bbd-a479-3f349cb785e7"),
    ("binary", "000102FF", "000102ff"),
    ("fixed[2]", "00ff", "00ff"),
]
BAD = [
    ("boolean", "yes"),
    ("int", "2147483648"),
    ("int", "1.5"),
    ("long", "x"),
    ("double", "much"),
    ("decimal(9, 2)", "1.005"),
    ("decimal(3, 2)", "10.00"),
    ("decimal(9, 2)", "NaN"),
    ("date", "14.1.2026"),
    ("time", "noon"),
    ("timestamp", "2017-11-16T22:31:08Z"),
    ("timestamptz", "2017-11-16T22:31:08"),
    ("uuid", "f79c3e09"),
    ("binary", "0"),
    ("fixed[2]", "00ff00"),
    ("list<int>", "1"),
    ("struct<a: int>", "1"),
    ("unknown", "1"),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_a_value_is_written_as_the_format_says(kind: str, text: str, value: Any) -> None:
    found = defaults.value(kind, text)
    assert (found, type(found)) == (value, type(value))
    assert defaults.value(kind, str(found)) == found, "it reads back"


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_what_is_not_a_value_is_reported(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not a value of") as caught:
        defaults.value(kind, text)
    assert f'"{text}"' in str(caught.value)
