"""Only what a deploy itself has put into a table is replaced."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.reconciler.marks import SEED_FILES
from bootstrap.reconciler.tables.present import replaceable

SEEDED = {"properties": {SEED_FILES: "7 1"}}


@pytest.mark.parametrize(
    ("metadata", "may"),
    [
        ({}, True),
        ({"snapshots": []}, True),
        ({"snapshots": [{"snapshot-id": 7}]}, False),
        ({"snapshots": [{"snapshot-id": 7}], **SEEDED}, True),
        ({"snapshots": [{"snapshot-id": 8}], **SEEDED}, False),
        ({"snapshots": [{"snapshot-id": 7}, {"snapshot-id": 8}], **SEEDED}, False),
    ],
)
def test_rows_of_others_are_never_replaced(metadata: dict[str, Any], may: bool) -> None:
    assert replaceable(metadata) == may
