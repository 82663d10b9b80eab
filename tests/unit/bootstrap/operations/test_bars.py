from __future__ import annotations

import hashlib
from datetime import date
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.operations.bars import MINUTES, SCHEMA, BarPlan, bars, name_of

DAY = 2 * MINUTES  # rows of two tickers


def made(rows: int, seed: int = 1, days: int = 2, batch: int = 1024) -> pa.Table:
    return pa.concat_tables(bars(BarPlan(rows, seed, days), batch)).combine_chunks()


def digest(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def test_the_same_rows_seed_and_days_make_the_same_bytes() -> None:
    assert digest(made(5000, seed=7)) == digest(made(5000, seed=7))
    assert digest(made(5000, seed=7)) != digest(made(5000, seed=8))


def test_the_bytes_are_those_of_every_other_machine() -> None:
    first = made(4, seed=1, days=1).to_pylist()[0]
    assert {key: first[key] for key in ("ticker", "close", "volume", "date")} == {
        "ticker": "AAPL",
        "close": pytest.approx(265.75),
        "volume": 566,
        "date": "2026-01-14",
    }


def test_batches_change_nothing() -> None:
    assert made(3000, batch=1).equals(made(3000, batch=1024))


@given(st.integers(1, 3000), st.integers(1, 5))
def test_there_are_as_many_rows_as_asked_for_spread_over_the_days(rows: int, days: int) -> None:
    table = made(rows, days=days)
    assert table.num_rows == rows
    assert table.schema.equals(SCHEMA)
    counts = sorted(each["counts"] for each in pc.value_counts(table["date"]).to_pylist())
    assert counts[-1] - counts[0] <= 1 or rows < days


def test_days_begin_at_seed_001s_and_weekends_have_none() -> None:
    assert [str(day) for day in BarPlan(1, 1, 4).dates] == ["2026-01-14", "2026-01-15", "2026-01-16", "2026-01-19"]
    assert all(day.weekday() < 5 for day in BarPlan(1, 1, 30).dates)


def test_windows_are_the_minutes_of_trading_in_new_york() -> None:
    starts = {start.astimezone(ZoneInfo("America/New_York")) for start in made(DAY, days=1)["window_start"].to_pylist()}
    assert {start.date() for start in starts} == {date(2026, 1, 14)}
    assert (min(starts).strftime("%H:%M"), max(starts).strftime("%H:%M")) == ("09:30", "15:59")


def test_rows_come_by_ticker_and_minute() -> None:
    table = made(DAY, days=1)
    assert table["ticker"].to_pylist() == [name_of(0)] * MINUTES + [name_of(1)] * MINUTES
    starts = table["window_start"].to_pylist()[:MINUTES]
    assert starts == sorted(starts)


def test_a_walk_goes_on_the_next_day() -> None:
    rows = [row for row in made(DAY, seed=3).to_pylist() if row["close"] > 0]
    last = [row for row in rows if row["date"] == "2026-01-14"][-1]
    first = next(row for row in rows if row["date"] == "2026-01-15")
    assert first["open"] == pytest.approx(last["close"], rel=0.02)


def test_some_rows_are_faulty_as_in_a_real_feed_and_the_rest_is_sound() -> None:
    table = made(100 * MINUTES, days=1)
    rows = table.to_pylist()
    wrong = [row for row in rows if row["close"] <= 0]
    sound = [row for row in rows if row["close"] > 0 and row["open"] > 0]
    twice = len(rows) - len({(row["ticker"], row["window_start"]) for row in rows})
    assert 0 < len(wrong) < len(rows) / 100
    assert 0 < twice < len(rows) / 100
    assert all(row["low"] <= row["close"] <= row["high"] and row["volume"] > 0 for row in sound)
    assert all(row["transactions"] > 0 for row in sound)


def test_tickers_have_names_without_end() -> None:
    assert name_of(0) == "AAPL"
    assert len({name_of(nth) for nth in range(2000)}) == 2000
