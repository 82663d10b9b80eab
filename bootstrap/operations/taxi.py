"""Made-up taxi trips: companies of different sizes, short and long trips, fares that follow both. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BATCH = 250_000  # rows; each batch has a generator of its own, so the rows do not depend on how many there are
_COMPANIES = ("Flash Cab", "Sun Taxi", "City Service", "Taxi Affiliation Services", "Blue Ribbon", "Globe Taxi")
_PAYMENTS = ("Credit Card", "Cash", "Mobile", "Prcard")
_BEGIN, _DAYS = np.datetime64("2025-01-01", "us"), 365

SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("trip_id", "taxi_id")),
        pa.field("trip_start", pa.timestamp("us", "UTC")),
        pa.field("trip_seconds", pa.int32()),
        *(pa.field(name, pa.float64()) for name in ("trip_miles", "fare", "tips")),
        *(pa.field(name, pa.string()) for name in ("payment_type", "company")),
    ]
)


def trips(rows: int, seed: int) -> Iterator[pa.Table]:
    """The first ``rows`` trips of a seed."""
    for first in range(0, rows, BATCH):
        yield _trips(first, seed).slice(0, rows - first)


def _trips(first: int, seed: int) -> pa.Table:
    chance = np.random.default_rng([seed, first])
    seconds = chance.gamma(2.0, 420.0, BATCH).astype("int32") + 60
    miles = np.round(seconds / 3600 * chance.uniform(8, 28, BATCH), 2)
    fare = np.round(3.25 + 2.25 * miles + seconds / 36 * 0.25, 2)
    card = chance.random(BATCH) < 0.55
    company = np.minimum(chance.geometric(0.35, BATCH) - 1, len(_COMPANIES) - 1)
    start = _BEGIN + chance.integers(0, _DAYS * 86_400, BATCH).astype("timedelta64[s]")
    numbers = pa.array(np.arange(first, first + BATCH)).cast(pa.string())
    columns = [
        pc.binary_join_element_wise("trip-", numbers, ""),
        pa.array(chance.integers(0, 3_000, BATCH)).cast(pa.string()),
        pa.array(start, pa.timestamp("us", "UTC")),
        pa.array(seconds, pa.int32()),
        *(
            pa.array(each)
            for each in (miles, fare, np.where(card, np.round(fare * chance.uniform(0.1, 0.3, BATCH), 2), 0.0))
        ),
        pa.array(np.array(_PAYMENTS)[np.where(card, 0, chance.integers(1, 4, BATCH))]),
        pa.array(np.array(_COMPANIES)[company]),
    ]
    return pa.table(columns, schema=SCHEMA)
