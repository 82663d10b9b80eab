from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.catalogs.metrics import TableMetrics
from bootstrap.doctor import speed

MIB = 1 << 20
WELL = TableMetrics(
    "lake.n.t", files=99, bytes=99 * MIB, delete_files=99, snapshots=499, manifests=9, metadata_bytes=9 * MIB,
    stored_files=200, stored_bytes=200 * MIB, last_commit=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("table", "found", "fix"),
    [
        (replace(WELL, files=100, bytes=100 * MIB), "100 files of 1.0 MiB on average", "compact: {}"),
        (replace(WELL, delete_files=100), "100 delete files", "compact: {}"),
        (replace(WELL, snapshots=500), "500 snapshots", "expire_snapshots: {older_than_days: 7}"),
        (replace(WELL, metadata_bytes=100 * MIB), "100 MiB of metadata, more than its data", "expire_snapshots:"),
    ],
)
def test_a_table_that_slows_engines_is_named_with_the_policy_that_fixes_it(
    table: TableMetrics, found: str, fix: str
) -> None:
    seen = speed.tables([WELL, table], {})
    assert seen.severity == "warning"
    assert seen.found == f"lake.n.t has {found}"
    assert seen.fix.startswith("`lakehouse maintain lake.n.t`")
    assert fix in seen.fix


@pytest.mark.parametrize(
    "table",
    [
        WELL,
        replace(WELL, files=0, bytes=0),
        replace(WELL, files=100, bytes=1600 * MIB),
        replace(WELL, metadata_bytes=98 * MIB),
        replace(WELL, bytes=MIB, metadata_bytes=63 * MIB),
    ],
)
def test_a_table_whose_files_are_few_or_large_is_well(table: TableMetrics) -> None:
    assert speed.tables([table], {}).severity == "ok"


def test_further_tables_are_named_or_counted() -> None:
    slow = [replace(WELL, table=f"lake.n.t{nth}", files=100) for nth in range(6)]
    assert "(so have 5 more: lake.n.t1, lake.n.t2, lake.n.t3)" in speed.tables(slow, {}).found
    assert "; 7 further tables were not looked at" in speed.tables([WELL], {}, 7).found


def test_a_table_that_could_not_be_measured_is_named() -> None:
    found = speed.tables([WELL], {"lake.n.gone": "NoSuchKey"})
    assert found.severity == "warning"
    assert "lake.n.gone could not be measured: NoSuchKey" in found.found
    assert "`lakehouse metrics lake.n.gone`" in found.fix


def test_queries_that_lacked_memory() -> None:
    found = speed.memory({"EXCEEDED_LOCAL_MEMORY_LIMIT": 2, "CLUSTER_OUT_OF_MEMORY": 1}, 40, "local")
    assert found.severity == "warning"
    assert "3 of Trino's last 40 failed for lack of memory: EXCEEDED_LOCAL_MEMORY_LIMIT (2)" in found.found
    assert "`memory` for `trino`" in found.fix
    assert speed.memory({}, 40, "local").severity == "ok"
