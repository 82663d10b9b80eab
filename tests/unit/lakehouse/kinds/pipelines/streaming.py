"""A lakehouse with pipelines, for tests."""

from __future__ import annotations

from typing import Any

from lakehouse.spec import Lakehouse

CDC = "struct<op: string, ts: timestamptz, offset: long>"
ORDERS: dict[str, Any] = {"from": {"topic": "orders"}, "to": "lake.raw.orders", "commit_seconds": 5}
SHOP: dict[str, Any] = {
    "from": {
        "postgres": {"host": "db.example.com", "database": "shop", "user": "reader", "table": "public.orders"},
    },
    "to": "lake.raw.changes",
}

ITEMS: dict[str, Any] = {
    "from": {"mysql": {"host": "mysql.example.com", "user": "reader", "table": "shop.items"}},
    "to": "lake.raw.changes",
}


def without_pipelines() -> Lakehouse:
    """The lakehouse when the whole entry has left the file: its stack has no Kafka Connect."""
    found = lakehouse({}).model_dump(mode="json", by_alias=True, exclude_unset=True)
    del found["pipelines"]
    return Lakehouse.model_validate(found)


def lakehouse(pipelines: dict[str, Any] | None = None, **stack: Any) -> Lakehouse:
    tables = {
        "orders": {"columns": {"id": "long"}},
        "words": {"columns": {"id": {"type": "long", "required": True}, "word": "string"}},
        "changes": {"columns": {"id": "long", "_cdc": CDC}},
    }
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "landing": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"raw": {"tables": tables}}}},
            "pipelines": {"orders": ORDERS, "shop": SHOP} if pipelines is None else pipelines,
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}, **stack}},
        }
    )
