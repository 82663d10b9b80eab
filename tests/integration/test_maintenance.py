"""The file's policies keep tables small: `lakehouse maintain` and `lakehouse metrics`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bootstrap.maintenance import run
from bootstrap.session.connect import connect
from bootstrap.session.target import find
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

NAMESPACE = ("catalogs", "lake", "namespaces", "data_maintain")
TABLE = {"columns": {"id": "long"}, "deletable": True}
POLICY: dict[str, Any] = {
    "compact": {"target_file_size": "128m", "min_files": 3},
    "rewrite_manifests": True,
    "expire_snapshots": {"older_than_days": 1, "retain_last": 1},
    "remove_orphans": {"older_than_days": 2},
}


@pytest.fixture
def tables(deployed: Deployment) -> Iterator[str]:
    """Two tables with four files each; of one, no file may be deleted. The file has no policy yet."""
    content = {"tables": {"free": TABLE, "kept": TABLE | {"properties": {"gc.enabled": False}}}}
    before = deployed.change(*NAMESPACE, to=content)
    deployed.lakehouse("apply")
    for table in content["tables"]:
        for number in range(4):
            deployed.trino(f"INSERT INTO lake.data_maintain.{table} VALUES {number}")
    yield "lake.data_maintain"
    for table in content["tables"]:
        deployed.trino(f"DROP TABLE IF EXISTS lake.data_maintain.{table}")
    deployed.trino("DROP SCHEMA IF EXISTS lake.data_maintain")
    deployed.file.write_text(before)


def metrics(deployed: Deployment, name: str) -> dict[str, Any]:
    """Metrics of a namespace's tables, by the table's own name."""
    return {each["table"].split(".")[-1]: each for each in json.loads(deployed.lakehouse("metrics", name, "--json"))}


def forgotten(deployed: Deployment, table: str) -> Path:
    """A file below the table's location that a failed writer could have left a week ago."""
    store = deployed.local.state.data("s3proxy")
    some = next(path for path in store.rglob("*.parquet") if f"/{table}" in str(path) and "data_maintain" in str(path))
    orphan = some.with_name("nobody-knows-me.parquet")
    orphan.write_bytes(some.read_bytes())
    week_ago = time.time() - 7 * 86400
    os.utime(orphan, (week_ago, week_ago))
    return orphan


def test_a_policy_is_planned_carried_out_and_measured(deployed: Deployment, tables: str) -> None:
    assert "no table has a policy" in deployed.lakehouse("maintain")
    before = metrics(deployed, tables)
    assert (before["free"]["files"], before["free"]["snapshots"]) == (4, 4)
    deployed.change(*NAMESPACE, "maintenance", to=POLICY)
    orphan = forgotten(deployed, "free")

    plan = deployed.lakehouse("maintain", "--plan", f"{tables}.free", code=2)
    assert "~ lake.data_maintain.free: compact: 4 files" in plan
    assert metrics(deployed, tables)["free"]["last_commit"] == before["free"]["last_commit"], "a plan does nothing"
    assert orphan.exists()

    (done,) = json.loads(deployed.lakehouse("maintain", f"{tables}.free", "--json"))
    assert list(done["done"]) == ["compact", "rewrite manifests", "remove orphans"]
    assert (done["before"]["files"], done["after"]["files"]) == (4, 1)
    assert (done["before"]["manifests"], done["after"]["manifests"]) == (4, 1)
    assert done["done"]["remove orphans"] == {"deleted_files_count": 1}
    assert not orphan.exists()
    assert deployed.trino("SELECT sum(id), count(*) FROM lake.data_maintain.free") == [[6, 4]]


def test_files_that_may_be_needed_stay_and_no_table_stops_another(deployed: Deployment, tables: str) -> None:
    deployed.change(*NAMESPACE, "maintenance", to={"compact": {"min_files": 3}, "remove_orphans": {}})
    reported = deployed.lakehouse("maintain", tables, code=1)
    assert "refused: lake.data_maintain.kept: remove orphans: its property gc.enabled is false" in reported
    assert {name: each["files"] for name, each in metrics(deployed, tables).items()} == {"free": 1, "kept": 1}

    deployed.lakehouse("branch", "create", "data_audit")
    try:
        deployed.trino(f"DELETE FROM {tables}.free WHERE id = 0")
        orphan = forgotten(deployed, "free")
        (done,) = json.loads(deployed.lakehouse("maintain", f"{tables}.free", "--json"))
        assert done["done"]["remove orphans"] == {"deleted_files_count": 1}, "the branch needs the others"
        assert not orphan.exists()
    finally:
        deployed.lakehouse("branch", "delete", "data_audit", "--allow-destroy")


def test_a_table_that_was_renamed_and_the_one_that_took_its_name_keep_their_files(
    deployed: Deployment, tables: str
) -> None:
    deployed.change(*NAMESPACE, "tables", "ev2", to=TABLE)
    deployed.lakehouse("apply")
    deployed.trino(f"INSERT INTO {tables}.ev2 VALUES 1, 2, 3")
    deployed.trino(f"ALTER TABLE {tables}.ev2 RENAME TO ev2_old")
    try:
        plan = deployed.lakehouse("plan", code=2)
        assert "it was renamed to data_maintain.ev2_old" in plan
        assert "is the location of lake.data_maintain.ev2_old" in plan
        reported = deployed.lakehouse("apply")
        assert "ALTER TABLE lake.data_maintain.ev2_old RENAME TO lake.data_maintain.ev2" in reported
        deployed.trino(f"INSERT INTO {tables}.ev2 VALUES 100")
        deployed.change(*NAMESPACE, "maintenance", to=POLICY)
        orphan, kept = forgotten(deployed, "ev2-2/"), forgotten(deployed, "ev2/")
        (done,) = json.loads(deployed.lakehouse("maintain", f"{tables}.ev2", "--json"))
        assert done["done"]["remove orphans"] == {"deleted_files_count": 1}
        assert (orphan.exists(), kept.exists()) == (False, True)
        assert deployed.trino(f"SELECT sum(id), count(*) FROM {tables}.ev2_old") == [[6, 3]]
        assert deployed.trino(f"SELECT sum(id), count(*) FROM {tables}.ev2") == [[100, 1]]
    finally:
        for name in ("ev2", "ev2_old"):
            deployed.trino(f"DROP TABLE IF EXISTS {tables}.{name}")


def test_a_table_that_was_dropped_comes_back(deployed: Deployment, tables: str) -> None:
    deployed.trino(f"DROP TABLE {tables}.free")
    drift = deployed.lakehouse("drift", code=2)
    assert "! table lake.data_maintain.free: it was dropped (commit " in drift
    assert "`lakehouse undrop lake.data_maintain.free` brings it back" in drift
    reported = deployed.lakehouse("undrop", f"{tables}.free")
    assert reported.strip() == "table lake.data_maintain.free is back, with 4 rows in 4 snapshots"
    assert deployed.trino(f"SELECT sum(id), count(*) FROM {tables}.free") == [[6, 4]]
    deployed.trino(f"ALTER TABLE {tables}.free ADD COLUMN s varchar")
    deployed.trino(f"INSERT INTO {tables}.free VALUES (9, 'nine')")
    deployed.trino(f"ALTER TABLE {tables}.free DROP COLUMN s")
    deployed.trino(f"INSERT INTO {tables}.free VALUES 10")
    deployed.lakehouse("undrop", f"{tables}.free.s")
    assert deployed.trino(f"SELECT s FROM {tables}.free WHERE id > 8 ORDER BY id") == [["nine"], [None]]


def test_trino_does_it_if_there_is_no_spark(deployed: Deployment, tables: str) -> None:
    deployed.change(*NAMESPACE, "maintenance", to=POLICY)
    numbers = {name: deployed.port(name) for name in ("s3proxy", "nessie", "nessie-management", "trino")}
    with_spark = deployed.change("stacks", "local", "ports", to=numbers)
    deployed.change("engines", to={"trino": {}})
    try:
        (done,) = json.loads(deployed.lakehouse("maintain", f"{tables}.free", "--json"))
    finally:
        deployed.file.write_text(with_spark)
    assert list(done["done"]) == ["compact", "rewrite manifests", "remove orphans"], done["failed"]
    assert (done["before"]["files"], done["after"]["files"]) == (4, 1)
    assert deployed.trino("SELECT sum(id), count(*) FROM lake.data_maintain.free") == [[6, 4]]


def test_old_snapshots_expire_with_their_files(deployed: Deployment, tables: str) -> None:
    deployed.change(*NAMESPACE, "maintenance", to={"compact": {"min_files": 3}, "expire_snapshots": {"retain_last": 1}})
    deployed.lakehouse("maintain", f"{tables}.free")
    target = find(deployed.file, "local")
    lakehouse, connections = connect(deployed.file, "local")
    meant = run.chosen(lakehouse, deployed.file.name, [f"{tables}.free"])
    (work,) = run.prepare(lakehouse, connections, meant, run.today() + timedelta(days=8))
    assert [step.action for step in work.steps] == ["expire snapshots", "remove metadata"]
    assert work.steps[0].why == "4 of 5 snapshots are older than 7 days"
    (outcome,) = run.carry_out([work], connections, run.engine(target), lambda work, action: None)
    assert outcome.well, outcome.failed
    assert work.before
    assert outcome.after
    assert (work.before.snapshots, outcome.after.snapshots) == (5, 1)
    assert outcome.after.stored_files < work.before.stored_files
    assert deployed.trino("SELECT sum(id), count(*) FROM lake.data_maintain.free") == [[6, 4]]
