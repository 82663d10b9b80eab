from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.session import values
from bootstrap.session.values import JsonText, as_json, distinct, text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (1.5, "1.5"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.50"), "1.50"),
        (Decimal("0E-10"), "0.0000000000"),
        (b"\x01\xff", "0x01ff"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ([JsonText('{"b":1}'), "x"], '[{"b":1}, "x"]'),
        (JsonText('"x"'), '"x"'),
        ("x", "x"),
    ],
)
def test_values_as_text(value: object, expected: str) -> None:
    assert text(value) == expected


def test_what_json_has_no_exact_form_for_is_a_string() -> None:
    assert as_json([float("nan"), float("inf"), Decimal("1.10"), b"\x00", 2**63, True, "ü\n"]) == (
        '["NaN", "Infinity", "1.10", "0x00", 9223372036854775808, true, "ü\\n"]'
    )


_SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_json_reads_back_as_the_same_value(value: Any) -> None:
    assert json.loads(as_json(value)) == value


@given(st.floats() | st.recursive(st.floats(), st.lists, max_leaves=4))
def test_json_has_no_words_that_only_python_reads(value: Any) -> None:
    json.loads(as_json(value), parse_constant=lambda word: pytest.fail(word))


@given(st.datetimes())
def test_timestamps_are_those_of_python_where_it_has_them(moment: datetime) -> None:
    micros = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 - it has no zone
    found = values.timestamp_text(micros)
    assert datetime.fromisoformat(found) == moment
    assert not found.endswith("0") or "." not in found


@given(st.integers(-(10**7), 10**8))
def test_a_day_later_is_the_next_date_in_every_year(days: int) -> None:
    first, second = values.date_text(days), values.date_text(days + 1)
    assert first != second
    assert first[-2:] == "01" or values.date_text(days - 1)[:-2] == first[:-2]
    if "0001-01-01" <= first <= "9999-12-31" and first[0] not in "+-":
        assert date.fromisoformat(first).toordinal() - date(1970, 1, 1).toordinal() == days


def test_years_that_four_digits_cannot_show_have_a_sign() -> None:
    assert values.date_text(date(9999, 12, 31).toordinal() - date(1970, 1, 1).toordinal() + 1) == "+10000-01-01"
    assert values.date_text(-719_528) == "0000-01-01"
    assert values.date_text(-719_529) == "-0001-12-31"
    assert values.timestamp_text(-1) == "1969-12-31 23:59:59.999999"


def test_intervals() -> None:
    assert values.interval_text(-183_845_678_000) == "-2 03:04:05.678"
    assert values.interval_text(0) == "0 00:00:00"
    assert values.months_text(-14) == "-1-2"


@pytest.mark.parametrize(
    ("time", "expected"), [("10:00:00.500", "10:00:00.5"), ("10:00:00.000", "10:00:00"), ("10:00:00", "10:00:00")]
)
def test_a_time_looks_the_same_in_every_precision(time: str, expected: str) -> None:
    assert values.trimmed(time) == expected


def test_no_column_that_has_the_name_of_another_is_lost() -> None:
    assert distinct(["a", "a_2", "a"]) == ["a", "a_2", "a_3"]
