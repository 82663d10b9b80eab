"""dlt's file. https://dlthub.com/docs/dlt-ecosystem/destinations/iceberg"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.tools import reach
from bootstrap.tools.reach import Reach
from lakehouse.text.toml import string


def write(stack: Reach) -> str:
    """``.dlt/config.toml`` for one catalog. dlt loads it through PyIceberg, so its settings and keys are the same."""
    return "\n".join(_lines(stack))


def _lines(stack: Reach) -> Iterator[str]:
    at = stack.catalog
    yield f"# .dlt/config.toml. The catalog and keys come from the environment: {reach.EVAL}"
    yield "[iceberg_catalog]"
    yield f"iceberg_catalog_name = {string(reach.clients_name(at.name))}"
    yield 'iceberg_catalog_type = "rest" # for every kind: PyIceberg takes the type from its own settings'
    yield ""
    yield "[destination.filesystem]"
    yield f"bucket_url = {string(at.location)}"
