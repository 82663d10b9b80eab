from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyiceberg.expressions import AlwaysTrue

from bootstrap.iceberg.metadata import TableFacts
from bootstrap.operations import generate as module
from bootstrap.operations.generate import catalog_of, generate, generate_dataset
from bootstrap.operations.rows import Run
from bootstrap.session import clients
from bootstrap.session.results import SqlFailure, SqlResult
from bootstrap.session.target import Target, find
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import Simulation


class FakeSpark:
    """A session that records its statements."""

    def __init__(self, target: Target) -> None:
        self.asked: list[str] = []
        self.closed = False
        self.session_id = f"session {len(sessions)}"
        sessions.append(self)

    def run(self, statement: str) -> SqlResult:
        self.asked.append(" ".join(statement.split()))
        if any(statement.strip().startswith(each.partition(":")[0]) for each in failing):
            raise SqlFailure(failing[0].partition(":")[2] or "Spark has gone")
        return SqlResult(("count",), iter([[(7,)]]))

    def close(self) -> None:
        self.closed = True


class FakeTable:
    """What was written to bronze: the rows of each run, and the condition of what was deleted before."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.rows: list[int] = []
        self.deleted: list[Any] = []

    def write(self, target: Any, catalog: str, name: str, rows: Any, count: int, run: Run, replace: Any) -> bool:
        if run.id in self.runs:
            return False
        self.rows.append(sum(each.num_rows for each in rows))
        self.runs.append(run.id)
        self.deleted.append(replace)
        return True


@pytest.fixture
def bronze(monkeypatch: pytest.MonkeyPatch) -> FakeTable:
    table = FakeTable()
    monkeypatch.setattr(module, "write", table.write)
    return table


failing: list[str] = []
sessions: list[FakeSpark] = []


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, bronze: FakeTable) -> None:
    sessions.clear()
    failing.clear()
    monkeypatch.setattr(module, "SparkEngine", FakeSpark)
    monkeypatch.setattr(module, "_facts", lambda target, catalog, names: there(target.lakehouse))


def there(wanted: Lakehouse, **silver: Any) -> Any:
    """The tables as the file defines them; silver also has these columns."""
    simulation = Simulation()
    simulation.apply(wanted)
    if silver:
        data = wanted.model_dump(mode="json")
        data["catalogs"]["lake"]["namespaces"]["silver"]["tables"]["minute_aggs"]["columns"] |= silver
        simulation.tables.clear()
        simulation.apply(Lakehouse.model_validate(data))
    return simulation.facts().catalogs["lake"].tables


def test_rows_go_to_bronze_and_a_merge_brings_them_to_silver(target: Target, bronze: FakeTable) -> None:
    done = generate(target, rows=1000, seed=1, days=2, replace=False)
    (session,) = sessions
    assert (done.bronze, done.silver, done.rows, done.written, done.silver_rows) == (
        "lake.bronze.minute_aggs", "lake.silver.minute_aggs", 1000, True, 7,
    )  # fmt: skip
    assert (bronze.rows, bronze.deleted) == ([1000], [None])
    *refreshed, merge, count = session.asked
    assert refreshed == ["REFRESH TABLE lake.bronze.minute_aggs", "REFRESH TABLE lake.silver.minute_aggs"]
    assert merge.startswith("MERGE INTO lake.silver.minute_aggs AS silver USING")
    assert "date IN ('2026-01-14', '2026-01-15')" in merge
    assert count.startswith("SELECT count(*) FROM lake.silver.minute_aggs")
    assert session.closed


def test_replacing_deletes_the_days_on_both_levels(target: Target, bronze: FakeTable) -> None:
    generate(target, rows=10, seed=1, days=1, replace=True)
    (session,) = sessions
    assert bronze.deleted == ["date in ('2026-01-14')"]
    assert [asked.split(" WHERE")[0] for asked in session.asked if asked.startswith("DELETE")] == [
        "DELETE FROM lake.silver.minute_aggs"
    ]


def test_a_run_that_did_not_end_is_continued_and_one_that_did_is_not(
    target: Target, bronze: FakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    failing.append("MERGE")
    with pytest.raises(LakehouseError, match="Spark has gone"):
        generate(target, rows=10, seed=1, days=1, replace=False)
    failing.clear()
    assert generate(target, rows=20, seed=1, days=1, replace=False).written, "other options are another run"
    failing.append("MERGE")
    with pytest.raises(LakehouseError, match="Spark has gone"):
        generate(target, rows=30, seed=1, days=1, replace=False)
    failing.clear()
    monkeypatch.setattr(clients, "spark_url", lambda target: "sc://here")
    monkeypatch.setattr(clients, "end_former", lambda url, session: ended.append(session))
    assert not generate(target, rows=30, seed=1, days=1, replace=False).written
    assert ended == ["session 2"], "what the killed run left in Spark"
    assert generate(target, rows=30, seed=1, days=1, replace=False).written
    assert not generate(target, rows=10, seed=1, days=1, replace=False).written, "others ran in between"
    assert bronze.rows == [10, 20, 30, 30]


def test_the_same_command_at_the_same_time_is_refused(
    target: Target, bronze: FakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*words: Any) -> bool:
        with pytest.raises(LakehouseError, match="Another `lakehouse generate` with these options is running"):
            generate(target, rows=10, seed=1, days=1, replace=False)
        monkeypatch.setattr(module, "write", bronze.write)
        generate(target, rows=20, seed=1, days=1, replace=False)
        return bronze.write(*words)

    monkeypatch.setattr(module, "write", write)
    assert generate(target, rows=10, seed=1, days=1, replace=False).written
    assert bronze.rows == [20, 10], "other options are another run"
    assert all(each.closed for each in sessions)


def test_replacing_a_data_set_deletes_every_row_whatever_is_empty_in_it(
    target: Target, bronze: FakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_facts", lambda *arguments: {"shop.orders": TableFacts("", {})})
    monkeypatch.setattr(module, "_misfits", lambda metadata, schema: ())
    generate_dataset(target, "lake", "orders", rows=1, seed=1, replace=True)
    assert bronze.deleted == [AlwaysTrue()]


def test_a_merge_that_another_one_overtakes_is_tried_again(target: Target) -> None:
    failing.append("MERGE:Found conflicting files")
    with pytest.raises(SqlFailure, match="conflicting"):
        generate(target, rows=10, seed=1, days=1, replace=False)
    assert sum(each.startswith("MERGE") for each in sessions[0].asked) == 3


def test_a_file_without_the_tables_is_a_usage_error(file: Path) -> None:
    file.write_text(file.read_text().replace("      silver:", "      gold:").replace("lake.silver", "lake.gold"))
    lakehouse = find(file, None).lakehouse
    with pytest.raises(UsageError, match="lakehouse.yaml: no catalog has bronze.minute_aggs and silver.minute_aggs"):
        catalog_of(lakehouse, "lakehouse.yaml")


def test_a_further_column_that_may_be_empty_stays_empty(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    further = there(target.lakehouse, note={"type": "list<string>"})
    monkeypatch.setattr(module, "_facts", lambda *arguments: further)
    generate(target, rows=10, seed=1, days=1, replace=False)
    merge = sessions[0].asked[2]
    assert "UPDATE SET silver.open = bronze.open, " in merge
    assert "INSERT (ticker, window_start, open, " in merge
    assert "*)" not in merge.partition("ON silver.date")[2]


@pytest.mark.parametrize(
    ("silver", "why"),
    [
        ({"note": {"type": "int", "required": True}}, 'silver.minute_aggs: the column "note" is required'),
        ({"volume": {"type": "int"}}, 'the column "volume" has the type int, but the bars have long'),
        (None, "there is no table lake.silver.minute_aggs. `lakehouse apply` creates it"),
    ],
)
def test_what_does_not_fit_is_found_before_the_first_write(
    silver: Any, why: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = there(target.lakehouse, **(silver or {}))
    if silver is None:
        del tables["silver.minute_aggs"]
    monkeypatch.setattr(module, "_facts", lambda *arguments: tables)
    with pytest.raises(UsageError) as caught:
        generate(target, rows=10, seed=1, days=1, replace=True)
    assert why in str(caught.value)
    assert sessions == []
