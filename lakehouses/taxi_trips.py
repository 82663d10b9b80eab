#!/usr/bin/env python3
"""Makes up taxi trips as Parquet files, for 004-sigv4-tables.yaml.

The same arguments give the same rows: companies of different sizes, short and long trips, fares that follow both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PART = 1_000_000  # rows of a file
COMPANIES = ("Flash Cab", "Sun Taxi", "City Service", "Taxi Affiliation Services", "Blue Ribbon", "Globe Taxi")
PAYMENTS = ("Credit Card", "Cash", "Mobile", "Prcard")
BEGIN, DAYS = np.datetime64("2025-01-01", "us"), 365


def trips(first: int, rows: int) -> pa.Table:
    """Trips number ``first`` to ``first + rows - 1``."""
    chance = np.random.default_rng(first)
    seconds = chance.gamma(2.0, 420.0, rows).astype("int32") + 60
    miles = np.round(seconds / 3600 * chance.uniform(8, 28, rows), 2)
    fare = np.round(3.25 + 2.25 * miles + seconds / 36 * 0.25, 2)
    card = chance.random(rows) < 0.55
    company = np.minimum(chance.geometric(0.35, rows) - 1, len(COMPANIES) - 1)
    start = BEGIN + chance.integers(0, DAYS * 86_400, rows).astype("timedelta64[s]")
    numbers = pa.array(np.arange(first, first + rows)).cast(pa.string())
    return pa.table(
        {
            "trip_id": pc.binary_join_element_wise("trip-", numbers, ""),
            "taxi_id": pa.array(chance.integers(0, 3_000, rows)).cast(pa.string()),
            "trip_start": pa.array(start, pa.timestamp("us", "UTC")),
            "trip_seconds": seconds,
            "trip_miles": miles,
            "fare": fare,
            "tips": np.where(card, np.round(fare * chance.uniform(0.1, 0.3, rows), 2), 0.0),
            "payment_type": pa.array(np.array(PAYMENTS)[np.where(card, 0, chance.integers(1, 4, rows))]),
            "company": pa.array(np.array(COMPANIES)[company]),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Make up taxi trips as Parquet files.")
    parser.add_argument("--rows", type=float, default=1.0, help="millions of rows [default: 1]")
    parser.add_argument("--to", type=Path, default=Path("data/parquet"), help="folder [default: data/parquet]")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    rows = round(asked.rows * 1_000_000)
    for first in range(0, rows, PART):
        path = asked.to / f"trips-{first // PART:04}.parquet"
        pq.write_table(trips(first, min(PART, rows - first)), path, compression="zstd")
        print(path)


if __name__ == "__main__":
    main()
