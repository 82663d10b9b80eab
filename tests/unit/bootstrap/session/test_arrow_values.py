from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from bootstrap.session.arrow_values import rows

MICROS = pa.timestamp("us")
DAY = 86_400 * 10**6


@pytest.mark.parametrize(
    ("of", "stored", "expected"),
    [
        (pa.int64(), [1, None], [1, None]),
        (pa.float32(), [0.1], [0.1]),
        (pa.decimal128(3, 2), [Decimal("1.10")], [Decimal("1.10")]),
        (pa.date32(), pa.array([4_000_000], pa.int32()), ["+12921-08-18"]),
        (MICROS, pa.array([-(10**17)], pa.int64()), ["-1199-02-15 14:13:20"]),
        (pa.timestamp("us", tz="Asia/Tokyo"), [0], ["1970-01-01 00:00:00+00:00"]),
        (pa.duration("us"), [-DAY], ["-1 00:00:00"]),
        (pa.time64("us"), [1], ["00:00:00.000001"]),
        (pa.month_day_nano_interval(), [(14, 3, -1_000_000)], ["1-2 3 -00:00:00.001"]),
        (pa.list_(pa.date32()), [[0, None], None], [["1970-01-01", None], None]),
        (pa.map_(MICROS, pa.list_(pa.float32())), [[(0, [0.1])]], [{"1970-01-01 00:00:00": [0.1]}]),
        (pa.map_(pa.struct([("a", pa.int64())]), pa.bool_()), [[({"a": 1}, None)]], [{'{"a": 1}': None}]),
        (pa.null(), [None], [None]),
    ],
)
def test_values_of_spark(of: pa.DataType, stored: Any, expected: list[Any]) -> None:
    array = stored.view(of) if isinstance(stored, pa.Array) else pa.array(stored, of)
    assert list(rows(pa.record_batch([array, array], names=["same", "same"]))) == [(each, each) for each in expected]


def test_fields_of_one_name_are_not_lost() -> None:
    pair = pa.StructArray.from_arrays(
        [pa.array([1]), pa.array([0]).view(MICROS)], fields=[pa.field("a", pa.int64()), pa.field("a", MICROS)]
    )
    assert list(rows(pa.record_batch([pair], names=["s"]))) == [({"a": 1, "a_2": "1970-01-01 00:00:00"},)]


def test_a_part_of_a_batch_is_only_that_part() -> None:
    batch = pa.record_batch([pa.array([[0], [1], [2]], pa.list_(pa.date32()))], names=["a"])
    assert list(rows(batch.slice(1, 1))) == [(["1970-01-02"],)]
