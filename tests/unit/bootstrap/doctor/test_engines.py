from __future__ import annotations

from typing import Any

import pytest

from bootstrap.doctor import engines
from bootstrap.iceberg.metadata import TableFacts


def table(**metadata: Any) -> TableFacts:
    return TableFacts("s3://w/m.json", {"format-version": 2, "current-snapshot-id": 7} | metadata)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("other.n.t", table()),
        ("lake.n.inner.t", table()),
        ("lake.N.t", table()),
        ("lake.n.t", table(**{"current-snapshot-id": None})),
        ("lake.n.t", table(**{"current-snapshot-id": -1})),
        ("lake.n.t", table(**{"format-version": 3})),
        ('lake.n.t"', table()),
    ],
)
def test_a_table_is_chosen_that_has_rows_and_that_trino_surely_sees(name: str, of: TableFacts) -> None:
    assert engines.sample("lake", {name: of}) == ""
    assert engines.sample("lake", {name: of, "lake.n.u": table()}) == "lake.n.u"


def test_only_a_small_file_of_it_is_read() -> None:
    assert engines.manifests("lake.n.u") == 'SELECT 1 FROM "lake"."n"."u$manifests" LIMIT 1'
