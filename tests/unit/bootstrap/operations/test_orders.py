from __future__ import annotations

import pyarrow as pa

from bootstrap.operations.orders import BATCH, SCHEMA, orders


def test_the_same_seed_makes_the_same_orders_however_many_there_are() -> None:
    few, many = (pa.concat_tables(orders(rows, 1)) for rows in (100, BATCH + 1))
    assert (few.schema, few.num_rows, many.num_rows) == (SCHEMA, 100, BATCH + 1)
    assert many.slice(0, 100).to_pylist() == few.to_pylist()
    assert pa.concat_tables(orders(100, 2)).to_pylist() != few.to_pylist()


def test_an_order_adds_up() -> None:
    for order in pa.concat_tables(orders(50, 1)).to_pylist():
        assert order["total"] == sum(item["price"] * item["quantity"] for item in order["items"]) > 0
        assert order["customer"]["address"]["city"]
        assert dict(order["attributes"])["channel"] in ("web", "app", "store")
