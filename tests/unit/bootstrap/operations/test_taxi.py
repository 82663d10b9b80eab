from __future__ import annotations

import pyarrow as pa

from bootstrap.operations.taxi import BATCH, SCHEMA, trips


def test_the_same_seed_makes_the_same_trips_however_many_there_are() -> None:
    few, many = (pa.concat_tables(trips(rows, 1)) for rows in (100, BATCH + 1))
    assert (few.schema, few.num_rows, many.num_rows) == (SCHEMA, 100, BATCH + 1)
    assert many.slice(0, 100).equals(few)
    assert not pa.concat_tables(trips(100, 2)).equals(few)
    assert len(set(many["trip_id"].to_pylist())) == BATCH + 1
