"""Made-up orders of a shop, nested: a customer with an address, a list of items, a map of attributes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

BATCH = 50_000  # rows
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_CITIES = (("Oslo", "NO"), ("Lyon", "FR"), ("Graz", "AT"), ("Porto", "PT"), ("Kyoto", "JP"), ("Quito", "EC"))
_GOODS = ("lamp", "chair", "desk", "kettle", "rug", "clock", "mirror", "shelf")
_STATES = ("paid", "shipped", "delivered", "returned")
_CHANNELS = ("web", "app", "store")

_ADDRESS = pa.struct([("street", pa.string()), ("city", pa.string()), ("country", pa.string())])
_PRICE = pa.decimal128(10, 2)
_ITEM = pa.struct([("sku", pa.string()), ("name", pa.string()), ("quantity", pa.int32()), ("price", _PRICE)])
SCHEMA = pa.schema(
    [
        pa.field("order_id", pa.int64()),
        pa.field("placed_at", pa.timestamp("us", "UTC")),
        pa.field("status", pa.string()),
        pa.field("customer", pa.struct([("id", pa.int64()), ("name", pa.string()), ("address", _ADDRESS)])),
        pa.field("items", pa.list_(_ITEM)),
        pa.field("attributes", pa.map_(pa.string(), pa.string())),
        pa.field("total", pa.decimal128(12, 2)),
    ]
)


def orders(rows: int, seed: int) -> Iterator[pa.Table]:
    """The first ``rows`` orders of a seed."""
    for first in range(0, rows, BATCH):
        made = [_order(number, seed) for number in range(first, min(first + BATCH, rows))]
        yield pa.Table.from_pylist(made, schema=SCHEMA)


def _order(number: int, seed: int) -> dict[str, Any]:
    chance = np.random.default_rng([seed, number])
    customer, seconds = int(chance.integers(1, 5_000)), int(chance.integers(0, 90 * 86_400))
    city, country = _CITIES[customer % len(_CITIES)]
    items = [_item(chance) for _ in range(int(chance.integers(1, 6)))]
    attributes = [("channel", _CHANNELS[int(chance.integers(0, len(_CHANNELS)))])]
    if chance.random() < 0.2:
        attributes.append(("coupon", f"SAVE{int(chance.integers(1, 6)) * 5}"))
    return {
        "order_id": number + 1,
        "placed_at": _BEGIN + timedelta(seconds=seconds),
        "status": _STATES[int(chance.integers(0, len(_STATES)))],
        "customer": {
            "id": customer,
            "name": f"Customer {customer}",
            "address": {"street": f"{customer % 200 + 1} Main Street", "city": city, "country": country},
        },
        "items": items,
        "attributes": attributes,
        "total": sum((each["price"] * each["quantity"] for each in items), Decimal(0)),
    }


def _item(chance: np.random.Generator) -> dict[str, Any]:
    which = int(chance.integers(0, len(_GOODS)))
    price = Decimal(int(chance.integers(500, 50_000))).scaleb(-2)
    return {"sku": f"G-{which:03d}", "name": _GOODS[which], "quantity": int(chance.integers(1, 4)), "price": price}
