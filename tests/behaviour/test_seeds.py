"""Seeds: a table gets the rows of a file, once, whatever happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.reconciler.plan import render
from bootstrap.reconciler.seeds import replace as replace_seed
from bootstrap.remote.connections import Connections
from lakehouse.errors import UsageError
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse
from tests.behaviour.faults import faulty
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import Servers
from tests.behaviour.test_bad_days import through

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

TABLE: dict[str, Any] = {
    "columns": {"code": {"type": "string", "required": True}, "rank": "int", "since": "date"},
    "partition_by": ["bucket(2, code)"],
    "seed": "codes.csv",
}
CSV = "code,rank,since\n007,1,2026-01-14\nX,,\n"
ROWS = [("007", 1, "2026-01-14"), ("X", None, None)]


def seeded(root: str, table: dict[str, Any] = TABLE) -> Lakehouse:
    return lakehouse({root: {"tables": {"t": table}}})


def rows(servers: Servers, root: str) -> list[tuple[Any, ...]]:
    catalog: Catalog = load_catalog("lake", **servers.pyiceberg())
    found = catalog.load_table(f"{root}.t").scan().to_arrow().to_pylist()
    return sorted((row["code"], row["rank"], row["since"] and str(row["since"])) for row in found)


@pytest.fixture
def here(connections: Connections, tmp_path: Path) -> Connections:
    (tmp_path / "codes.csv").write_text(CSV)
    return replace(connections, folder=tmp_path)


def test_a_table_begins_with_its_seed_once(here: Connections, servers: Servers, root: str, tmp_path: Path) -> None:
    wanted = seeded(root)
    assert f"+ seed lake.{root}.t" in list(render(make_plan(wanted, here)))
    for _ in range(2):
        assert reconcile(wanted, here).exit_code == 0
        assert not make_plan(wanted, here).steps
        assert rows(servers, root) == ROWS
    (tmp_path / "codes.csv").write_text(CSV + "Y,2,\n")
    later = make_plan(wanted, here)
    assert not later.steps
    assert any(f"`lakehouse seed lake.{root}.t`" in str(note) for note in later.kept)
    evolved = seeded(root, {**TABLE, "columns": {**TABLE["columns"], "rank": "long"}})
    assert reconcile(evolved, here).exit_code == 0
    assert rows(servers, root) == ROWS


def test_a_seed_that_changed_replaces_its_own_rows_in_one_commit(
    here: Connections, servers: Servers, root: str, tmp_path: Path
) -> None:
    wanted = seeded(root)
    assert reconcile(wanted, here).exit_code == 0
    catalog = catalogs.connect("lake", here)
    table = tables.load(catalog, f"{root}.t", here)
    table.append(pa.table({"code": ["Z"], "rank": [9], "since": [None]}, schema=table.schema().as_arrow()))
    before = {each.snapshot_id for each in tables.load(catalog, f"{root}.t", here).snapshots()}
    (tmp_path / "codes.csv").write_text("code,rank,since\n007,2,2026-01-14\nY,,\n")
    for _ in range(2):
        done = replace_seed(catalog, f"{root}.t", "codes.csv", here)
        assert (done.removed, done.added) == (2, 2)
    assert rows(servers, root) == [("007", 2, "2026-01-14"), ("Y", None, None), ("Z", 9, None)]
    now = tables.load(catalog, f"{root}.t", here)
    new = [each for each in now.snapshots() if each.snapshot_id not in before]
    assert {each.summary and each.summary.operation.value for each in new} == {"overwrite"}, "never rows gone alone"
    assert not [note for note in make_plan(wanted, here).kept if root in note.address]
    now.overwrite(now.scan().to_arrow())  # as a compaction or an update does
    with pytest.raises(UsageError, match="cannot be distinguished from others"):
        replace_seed(catalog, f"{root}.t", "codes.csv", here)
    assert replace_seed(catalog, f"{root}.t", "codes.csv", here, all_rows=True).removed == 3
    assert rows(servers, root) == [("007", 2, "2026-01-14"), ("Y", None, None)]


def test_parquet(here: Connections, servers: Servers, root: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"code": ["A"], "rank": pa.array([3], pa.int8())}), tmp_path / "codes.parquet")
    assert reconcile(seeded(root, {**TABLE, "seed": "codes.parquet"}), here).exit_code == 0
    assert rows(servers, root) == [("A", 3, None)]


def test_a_table_with_rows_keeps_them_and_its_history(servers: Servers, root: str, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(CSV)
    here = replace(servers.connections(), folder=tmp_path)
    without = seeded(root, {key: value for key, value in TABLE.items() if key != "seed"})
    assert reconcile(without, here).exit_code == 0
    table = load_catalog("lake", **servers.pyiceberg()).load_table(f"{root}.t")
    table.append(pa.table({"code": ["Z"], "rank": [9], "since": [None]}, schema=table.schema().as_arrow()))
    assert reconcile(seeded(root), here).exit_code == 0
    assert rows(servers, root) == [*ROWS, ("Z", 9, None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,other\nA,1\n", "columns that the table does not have: other"),
        ("code,rank\nA,x\n", "conversion error to int32"),
        ("code,rank\n,1\n", "code is required"),
    ],
)
def test_rows_that_do_not_fit_fail_and_nothing_else(
    here: Connections, servers: Servers, root: str, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "codes.csv").write_text(text)
    outcome = reconcile(seeded(root), here)
    assert outcome.exit_code == 1
    assert [words in failure.message for failure in outcome.failed] == [True], outcome.failed
    assert [done.address for done in outcome.done if "seed" in done.address] == []
    assert rows(servers, root) == [], "the table itself is there, and empty"


def test_two_applies_and_lost_answers_load_the_rows_once(servers: Servers, root: str, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(CSV)
    here = replace(servers.connections(), folder=tmp_path)
    with faulty(servers.catalog, share=0.3, seed=3) as proxy, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: reconcile(seeded(root), through(here, proxy.address)), range(2)))
    assert reconcile(seeded(root), here).exit_code == 0
    assert rows(servers, root) == ROWS
