from __future__ import annotations

from typing import Any

import pytest

from bootstrap.operations import tpch as module
from bootstrap.operations.tpch import TABLES, tpch
from bootstrap.session.results import SqlFailure, SqlResult
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError


class FakeTrino:
    """Tables with rows; the source's have as many as their names have letters."""

    def __init__(self, have: dict[str, int], fails: str, taken: str) -> None:
        self.have, self.fails, self.taken = have, fails, taken
        self.asked: list[str] = []

    def run(self, statement: str) -> SqlResult:
        self.asked.append(statement)
        name = statement.rpartition('"."')[2].strip('"')
        if statement.startswith("SELECT count(*)"):
            rows = len(name) if '"lakehouse_tpch"' in statement else self.have[name]
            return SqlResult(("_col0",), iter([[(rows,)]]))
        if statement.startswith("SHOW TABLES"):
            return SqlResult(("Table",), iter([[(each,)] for each in self.have]))
        if "AS SELECT" in statement:
            if name == self.taken:
                self.have[name] = 99
                raise SqlFailure("the table exists")
            if name == self.fails:
                raise SqlFailure("the disk is full")
            self.have[name] = len(name)
        if statement.startswith("DROP TABLE"):
            self.have.pop(name, None)
        return SqlResult((), iter([]))


def made(target: Target, monkeypatch: pytest.MonkeyPatch, have: dict[str, int], **options: Any) -> dict[str, bool]:
    fake = FakeTrino(have, options.pop("fails", ""), options.pop("taken", ""))
    monkeypatch.setattr(module, "TrinoEngine", lambda target: fake)
    try:
        return {name: new for name, _, new in tpch(target, "lake", scale=0.01, **{"replace": False, **options})}
    finally:
        assert fake.asked[-1].startswith("DROP CATALOG")


def test_a_second_run_makes_only_what_is_missing(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    have: dict[str, int] = {}
    assert made(target, monkeypatch, have) == dict.fromkeys(TABLES, True)
    del have["lineitem"]
    assert made(target, monkeypatch, have) == {name: name == "lineitem" for name in TABLES}


def test_tables_with_other_rows_are_replaced_only_if_that_is_asked(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    have = {"nation": 99}
    with pytest.raises(UsageError, match=r"nothing was written\. .*\nlake.tpch.nation has 99 rows"):
        made(target, monkeypatch, have)
    assert have == {"nation": 99}
    assert made(target, monkeypatch, have, replace=True)["nation"]


def test_a_failure_leaves_none_of_the_tables_that_the_run_made(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    have = {"region": 6}
    with pytest.raises(SqlFailure, match="the disk is full"):
        made(target, monkeypatch, have, fails="part")
    assert have == {"region": 6}


def test_a_table_that_another_made_in_the_meantime_is_not_dropped(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    have: dict[str, int] = {}
    with pytest.raises(SqlFailure, match="the table exists"):
        made(target, monkeypatch, have, taken="nation")
    assert have == {"nation": 99}


def test_a_second_run_at_the_same_time_is_refused(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TrinoEngine", lambda target: FakeTrino({}, "", ""))
    first = tpch(target, "lake", scale=0.01, replace=False)
    next(first)
    with pytest.raises(LakehouseError, match="Another `lakehouse generate --dataset tpch` is running"):
        next(tpch(target, "lake", scale=1, replace=False))
    assert len(list(first)) == len(TABLES) - 1
