"""Made-up minute bars: a random walk for each ticker, reproducible from a seed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

FIRST_DAY = date(2026, 1, 14)
MINUTES = 390  # 09:30 to 16:00
_NEW_YORK = ZoneInfo("America/New_York")
_NAMES = (
    *("AAPL", "AMZN", "GOOGL", "META", "MSFT", "NVDA", "TSLA", "AMD", "AVGO", "BAC", "COST", "CRM", "CSCO", "CVX"),
    *("DIS", "GE", "HD", "IBM", "INTC", "JNJ", "JPM", "KO", "MA", "MCD", "NFLX", "ORCL", "PEP", "PFE", "V", "WMT"),
)
# As in a real feed, some rows come twice and some are wrong.
_FAULTY_EVERY = 500

SCHEMA = pa.schema(
    [
        pa.field("ticker", pa.string(), nullable=False),
        pa.field("window_start", pa.timestamp("us", tz="UTC"), nullable=False),
        *(pa.field(name, pa.float64()) for name in ("open", "high", "low", "close")),
        *(pa.field(name, pa.int64()) for name in ("volume", "transactions")),
        pa.field("date", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class BarPlan:
    """What to make: ``rows`` in total, spread evenly over ``days`` trading days from :data:`FIRST_DAY` on."""

    rows: int
    seed: int
    days: int

    @property
    def dates(self) -> list[date]:
        """The trading days: weekdays, including holidays (exchange calendars are ignored)."""
        found: list[date] = []
        day = FIRST_DAY
        while len(found) < self.days:
            if day.weekday() < 5:
                found.append(day)
            day += timedelta(days=1)
        return found

    def rows_of(self, nth: int) -> int:
        """How many rows the ``nth`` day has."""
        return self.rows // self.days + (nth < self.rows % self.days)


def bars(plan: BarPlan, batch: int = 1024) -> Iterator[pa.Table]:
    """The rows, by day, ticker and minute, in tables of at most ``batch`` tickers each.

    The result does not depend on ``batch``; memory does, about 30 kB per ticker. A day's last ticker may end early.
    """
    closes: dict[int, float] = {}
    for nth, day in enumerate(plan.dates):
        rows = plan.rows_of(nth)
        tickers = -(-rows // MINUTES)
        for first in range(0, tickers, batch):
            some = range(first, min(first + batch, tickers))
            tables = [_ticker(plan.seed, day, nth, ticker, closes) for ticker in some]
            yield pa.concat_tables(tables).slice(0, min(rows - first * MINUTES, len(some) * MINUTES)).combine_chunks()


def name_of(ticker: int) -> str:
    """The name of the nth ticker: a well-known one, then ``T0031`` and so on."""
    return _NAMES[ticker] if ticker < len(_NAMES) else f"T{ticker + 1:04d}"


def _ticker(seed: int, day: date, nth: int, ticker: int, closes: dict[int, float]) -> pa.Table:
    """One ticker's day. ``closes`` carries each ticker's last price to its next day."""
    # A separate generator, so that a ticker's walk depends only on seed, day and ticker.
    random = np.random.default_rng([seed, nth, ticker])
    before = closes.get(ticker) or float(np.random.default_rng([seed, ticker]).uniform(20, 500))
    walk = before * np.exp(np.cumsum(random.normal(0, 0.0008, MINUTES)))
    close = np.maximum(np.round(walk, 2), 0.01)
    opened = np.concatenate(([np.round(before, 2)], close[:-1]))
    spread = np.abs(random.normal(0, 0.0004, (2, MINUTES)))
    high = np.round(np.maximum(opened, close) * (1 + spread[0]), 2)
    low = np.maximum(np.round(np.minimum(opened, close) * (1 - spread[1]), 2), 0.01)
    volume = random.lognormal(8, 1, MINUTES).astype(np.int64) + 1
    transactions = volume // random.integers(20, 200, MINUTES) + 1
    closes[ticker] = float(close[-1])

    start = np.datetime64(
        datetime.combine(day, time(9, 30), _NEW_YORK).astimezone(ZoneInfo("UTC")).replace(tzinfo=None), "us"
    )
    minutes = start + np.arange(MINUTES) * np.timedelta64(60_000_000, "us")
    source = np.arange(MINUTES)
    faulty = random.random((2, MINUTES)) < 1 / _FAULTY_EVERY
    faulty[:, 0] = False
    source[faulty[0]] -= 1  # the previous row again, instead of this minute
    close[faulty[1]] = -1.0
    columns = (opened, high, low, close, volume, transactions)
    return pa.table(
        [
            pa.array([name_of(ticker)] * MINUTES),
            pa.array(minutes[source]).cast(pa.timestamp("us", tz="UTC")),
            *(pa.array(column[source]) for column in columns),
            pa.array([day.isoformat()] * MINUTES),
        ],
        schema=SCHEMA,
    )
