#!/usr/bin/env python3
"""Makes up taxi trips as Parquet files, for 004-sigv4-tables.yaml: those of `lakehouse generate --dataset taxi`.

The same arguments give the same rows. It needs the Python of the toolkit: that of its .venv, or the one in the first
line of an installed `lakehouse`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

try:
    import pyarrow.parquet as pq

    from bootstrap.operations.taxi import trips
except ModuleNotFoundError as error:
    raise SystemExit(f"Error: {error}. Run {__file__} with the Python that `lakehouse` itself runs in.") from error


def main() -> None:
    parser = argparse.ArgumentParser(description="Make up taxi trips as Parquet files.")
    parser.add_argument("--rows", type=float, default=1.0, help="millions of rows [default: 1]")
    parser.add_argument("--to", type=Path, default=Path("data/parquet"), help="folder [default: data/parquet]")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(trips(round(asked.rows * 1_000_000), seed=1)):
        path = asked.to / f"trips-{number:04}.parquet"
        pq.write_table(part, path, compression="zstd")
        print(path)


if __name__ == "__main__":
    main()
