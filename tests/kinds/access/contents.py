"""What the lakehouse of these tests contains, by the kind of its catalogs."""

from __future__ import annotations

KINDS = ("nessie", "rest", "polaris", "s3tables")  # of catalogs, which have their names here
TABLES = ("bronze.raw", "silver.orders", "silver.customers")
EVENTS = "lineage.jsonl"  # the file with the lineage of statements
ROWS = "(1, 'EU', 'a@example.org'), (2, 'US', 'b@example.org')"


def orders(kind: str) -> str:
    return f"{kind}.silver.orders"


def customers(kind: str) -> str:
    return f"{kind}.silver.customers"
