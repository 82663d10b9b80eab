"""From a table's metrics to its health."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.catalogs.metrics import TableMetrics
from bootstrap.maintenance.health import health, unused_bytes

MIB = 1024 * 1024
GIB = 1024 * MIB
SOUND = TableMetrics("lake.a.t", 8, GIB, 0, 10, 1, MIB, 20, GIB + MIB, 1)
MOST = {"small files": 30, "delete files": 25, "snapshots": 15, "metadata": 15, "unused files": 15}


@pytest.mark.parametrize(
    ("change", "value", "lost"),
    [
        ({}, 100, {}),
        ({"files": 0, "bytes": 0, "snapshots": 0, "stored_bytes": MIB}, 100, {}),  # without rows
        ({"files": 4, "bytes": 4000, "stored_bytes": 9000 + MIB}, 100, {}),  # small, but not many
        ({"files": 40, "bytes": 4000, "stored_bytes": 4000 + MIB}, 85, {"small files": 15.0}),
        ({"files": 80}, 85, {"small files": 15.0}),
        ({"files": 800}, 70, {"small files": 30.0}),
        ({"files": 80_000}, 70, {"small files": 30.0}),
        ({"delete_files": 2}, 94, {"delete files": 6.2}),
        ({"delete_files": 8}, 75, {"delete files": 25.0}),
        ({"delete_files": 3, "files": 0}, 75, {"delete files": 25.0}),
        ({"snapshots": 100}, 100, {}),
        ({"snapshots": 1000}, 85, {"snapshots": 15.0}),
        ({"metadata_bytes": 10 * GIB // 1000, "stored_bytes": 2 * GIB}, 100, {}),  # a hundredth of the data
        ({"metadata_bytes": GIB, "stored_bytes": 2 * GIB}, 85, {"metadata": 15.0}),
        ({"stored_bytes": 2 * GIB + MIB}, 100, {}),
        ({"stored_bytes": 11 * GIB + MIB}, 85, {"unused files": 15.0}),
        ({"stored_bytes": 0}, 100, {}),  # its files are elsewhere
        (
            {"files": 800, "delete_files": 800, "snapshots": 1000, "metadata_bytes": GIB, "stored_bytes": 99 * GIB},
            0,
            {name: float(most) for name, most in MOST.items()},
        ),
    ],
)
def test_the_value_and_what_took_from_it(change: dict[str, Any], value: int, lost: dict[str, float]) -> None:
    found = health(replace(SOUND, **change))
    assert (found.value, found.lost) == (value, lost)


COUNTS = st.integers(0, 10**15)


@given(st.tuples(*[COUNTS] * 7), st.sampled_from(["files", "delete_files", "snapshots", "stored_bytes"]), COUNTS)
def test_it_is_never_outside_0_to_100_and_more_to_clean_up_never_makes_it_better(
    numbers: tuple[int, ...], name: str, more: int
) -> None:
    files, size, deletes, snapshots, metadata, stored, stored_bytes = numbers
    one = TableMetrics("lake.a.t", files, size, deletes, snapshots, 1, metadata, stored, stored_bytes, 1)
    worse = replace(one, **{name: getattr(one, name) + more})
    assert 0 <= health(one).value <= 100
    if name != "files" or not deletes:  # a delete file among more data files weighs less
        assert health(worse).value <= health(one).value
    assert unused_bytes(one) >= 0


def test_the_page_has_each_part_with_its_weight() -> None:
    page = (Path(__file__).parents[4] / "docs" / "maintenance.md").read_text()
    for name, most in MOST.items():
        assert f"| {name} | {most} |" in page
