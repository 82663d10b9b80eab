"""How a table's rows are laid out: partition specs and sort orders, as values bound to columns by id, and their JSON.

https://iceberg.apache.org/spec/#partitioning and #sorting
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lakehouse.iceberg.transforms import Term

FIRST_PARTITION_ID = 1000


class PartitionField(NamedTuple):
    """A field of a partition spec."""

    source_id: int
    field_id: int
    name: str
    transform: str


class SortField(NamedTuple):
    """A field of a sort order."""

    source_id: int
    transform: str
    direction: str
    null_order: str


class PartitionSpec(NamedTuple):
    """A numbered way to partition; no fields: not partitioned."""

    id: int
    fields: tuple[PartitionField, ...]


class SortOrder(NamedTuple):
    """A numbered way to sort; order 0 has no fields and means unsorted."""

    id: int
    fields: tuple[SortField, ...]


def partition_name(term: Term, taken: Iterable[str]) -> str:
    """The name that Iceberg's own builders give a partition field (``ts_day``), numbered if it is taken."""
    names = set(taken)
    stem = name = term.field_name
    count = 2
    while name in names:
        name, count = f"{stem}_{count}", count + 1
    return name


def spec_from_json(data: Mapping[str, Any]) -> PartitionSpec:
    """Iceberg's JSON of a partition spec; version 1 tables may lack field ids, which then count from 1000."""
    return PartitionSpec(
        data["spec-id"],
        tuple(
            PartitionField(f["source-id"], f.get("field-id", FIRST_PARTITION_ID + i), f["name"], f["transform"])
            for i, f in enumerate(data["fields"])
        ),
    )


def spec_to_json(spec: PartitionSpec) -> dict[str, Any]:
    """Iceberg's JSON of a partition spec."""
    return {
        "spec-id": spec.id,
        "fields": [
            {"source-id": f.source_id, "field-id": f.field_id, "name": f.name, "transform": f.transform}
            for f in spec.fields
        ],
    }


def order_from_json(data: Mapping[str, Any]) -> SortOrder:
    """Iceberg's JSON of a sort order."""
    return SortOrder(
        data["order-id"],
        tuple(SortField(f["source-id"], f["transform"], f["direction"], f["null-order"]) for f in data["fields"]),
    )


def order_to_json(order: SortOrder) -> dict[str, Any]:
    """Iceberg's JSON of a sort order."""
    return {
        "order-id": order.id,
        "fields": [
            {
                "source-id": f.source_id,
                "transform": f.transform,
                "direction": f.direction,
                "null-order": f.null_order,
            }
            for f in order.fields
        ],
    }
