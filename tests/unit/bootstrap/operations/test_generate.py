from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bootstrap.operations import generate as module
from bootstrap.operations.generate import catalog_of, generate
from bootstrap.session.results import SqlResult
from bootstrap.session.target import Target, find
from lakehouse.errors import UsageError
from lakehouse.spec import Lakehouse
from tests.unit.bootstrap.reconciler.simulation import Simulation


class FakeSpark:
    """A session that records its statements."""

    def __init__(self, target: Target) -> None:
        self.asked: list[str] = []
        self.rows: list[pa.Table] = []
        sessions.append(self)

    def run(self, statement: str) -> SqlResult:
        self.asked.append(" ".join(statement.split()))
        return SqlResult(("count",), iter([[(7,)]]))

    def append(self, rows: pa.Table, table: str) -> None:
        self.asked.append(f"append to {table}")
        self.rows.append(rows)


sessions: list[FakeSpark] = []


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.clear()
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


def test_rows_go_to_bronze_and_a_merge_brings_them_to_silver(target: Target) -> None:
    done = generate(target, rows=1000, seed=1, days=2, replace=False)
    (session,) = sessions
    assert (done.bronze, done.silver, done.appended, done.silver_rows) == (
        "lake.bronze.minute_aggs", "lake.silver.minute_aggs", 1000, 7,
    )  # fmt: skip
    assert sum(each.num_rows for each in session.rows) == 1000
    append, merge, count = session.asked
    assert append == "append to lake.bronze.minute_aggs"
    assert merge.startswith("MERGE INTO lake.silver.minute_aggs AS silver USING")
    assert "date IN ('2026-01-14', '2026-01-15')" in merge
    assert count.startswith("SELECT count(*) FROM lake.silver.minute_aggs")


def test_replacing_deletes_the_days_first_on_both_levels(target: Target) -> None:
    generate(target, rows=10, seed=1, days=1, replace=True)
    (session,) = sessions
    assert [asked.split(" WHERE")[0] for asked in session.asked if not asked.startswith(("MERGE", "SELECT"))] == [
        "DELETE FROM lake.bronze.minute_aggs",
        "append to lake.bronze.minute_aggs",
        "DELETE FROM lake.silver.minute_aggs",
    ]


def test_memory_is_bounded_by_many_small_appends(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_PER_APPEND", 1000)
    monkeypatch.setattr(module, "bars", lambda plan: module_bars(plan, batch=1))
    generate(target, rows=5000, seed=1, days=2, replace=False)
    sizes = [each.num_rows for each in sessions[0].rows]
    assert sum(sizes) == 5000
    assert max(sizes) < 1500


def module_bars(plan: Any, batch: int) -> Any:
    from bootstrap.operations.bars import bars

    return bars(plan, batch)


def test_a_file_without_the_tables_is_a_usage_error(file: Path) -> None:
    file.write_text(file.read_text().replace("      silver:", "      gold:").replace("lake.silver", "lake.gold"))
    lakehouse = find(file, None).lakehouse
    with pytest.raises(UsageError, match="lakehouse.yaml: no catalog has bronze.minute_aggs and silver.minute_aggs"):
        catalog_of(lakehouse, "lakehouse.yaml")


def test_a_further_column_that_may_be_empty_stays_empty(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    further = there(target.lakehouse, note={"type": "list<string>"})
    monkeypatch.setattr(module, "_facts", lambda *arguments: further)
    generate(target, rows=10, seed=1, days=1, replace=False)
    merge = sessions[0].asked[1]
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
