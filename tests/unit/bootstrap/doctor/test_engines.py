from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from bootstrap.doctor import engines
from bootstrap.doctor.stack import StackChecks
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts


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


def test_a_damaged_table_is_not_taken_for_a_fault_of_trino(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = StackChecks.__new__(StackChecks)
    facts = CatalogFacts({}, {"n.bad": table(), "n.good": table()})
    stack.__dict__ |= {"live": {"lake": facts}, "measured": ([], {"lake.n.bad": "a file is missing"}, 0)}
    stack.target = stack.local = MagicMock()
    asked: list[str] = []
    monkeypatch.setattr(engines, "failure", lambda *of: asked.append(of[2]))
    assert stack.read_by_trino(["lake"]).severity == "ok"
    assert asked == [engines.manifests("lake.n.good")]


def test_only_a_small_file_of_it_is_read() -> None:
    assert engines.manifests("lake.n.u") == 'SELECT 1 FROM "lake"."n"."u$manifests" LIMIT 1'
