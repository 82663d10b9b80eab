"""What a rollback commits, and what it says before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bootstrap.catalogs.metadata_files import committed
from bootstrap.reconciler.tables.rollback import rollback
from lakehouse.errors import UsageError

METADATA: dict[str, Any] = {
    "format-version": 2,
    "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
    "location": "s3://w/t",
    "last-sequence-number": 3,
    "last-updated-ms": 3000,
    "last-column-id": 1,
    "current-schema-id": 0,
    "schemas": [
        {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "i", "required": False, "type": "int"}]}
    ],
    "default-spec-id": 0,
    "partition-specs": [{"spec-id": 0, "fields": []}],
    "last-partition-id": 999,
    "default-sort-order-id": 0,
    "sort-orders": [{"order-id": 0, "fields": []}],
    "current-snapshot-id": 3,
    "refs": {"main": {"type": "branch", "snapshot-id": 3}},
    "snapshots": [
        {"snapshot-id": n, "sequence-number": n, "timestamp-ms": 1000 * n, "manifest-list": f"l{n}",
         "summary": {"operation": "append", "total-records": str(10 * n)}, "schema-id": 0}
        for n in (1, 2, 3)
    ],
    "snapshot-log": [{"snapshot-id": n, "timestamp-ms": 1000 * n} for n in (1, 2, 3)],
}  # fmt: skip


@pytest.mark.parametrize("to", [2, datetime.fromtimestamp(2.5, UTC), datetime.fromtimestamp(2, UTC)])
def test_the_rows_are_those_of_then_and_nothing_is_lost(to: int | datetime) -> None:
    planned = rollback("lake.n.t", METADATA, to)
    assert planned is not None
    assert planned.text.startswith(
        "lake.n.t goes from snapshot 3 (1970-01-01 00:00:03+00:00, 30 rows) back to snapshot 2 "
        "(1970-01-01 00:00:02+00:00, 20 rows)"
    )
    assert "`lakehouse rollback lake.n.t --to 3` undoes it" in planned.text
    after = committed("t", planned.commit, METADATA, "at")
    assert after.current_snapshot_id == 2
    assert [each.snapshot_id for each in after.snapshots] == [1, 2, 3]


def test_a_table_that_is_there_already_needs_nothing() -> None:
    assert rollback("lake.n.t", METADATA, 3) is None


@pytest.mark.parametrize(
    ("metadata", "to", "said"),
    [
        (METADATA, 9, "lake.n.t has no snapshot 9: its newest are 1, 2, 3"),
        ({**METADATA, "snapshots": []}, 9, "it has no snapshots"),
        (METADATA, datetime.fromtimestamp(0.5, UTC), "had no snapshot at 1970-01-01T00:00:00.500000"),
    ],
)
def test_what_it_never_had_is_refused(metadata: dict[str, Any], to: int | datetime, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rollback("lake.n.t", metadata, to)
