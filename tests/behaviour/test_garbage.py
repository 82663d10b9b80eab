"""Expiry and orphans on a real Nessie with a branch, a tag and a former name: every row of each is still read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.catalogs.nessie import NessieCatalog
from bootstrap.maintenance import plan, run
from bootstrap.remote.objects import Objects
from tests.behaviour.conftest import lakehouse
from tests.behaviour.reconciling import reconcile
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

POLICY = {"expire_snapshots": {"older_than_days": 1, "retain_last": 1}, "remove_orphans": {"older_than_days": 2}}


class NoEngine:
    """Expiry and orphans of a catalog with branches need none."""

    deletes = True

    def execute(self, catalog: str, table: str, step: plan.MaintenanceStep) -> Mapping[str, Any]:
        raise AssertionError(step)


def test_after_expiry_on_one_side_every_row_of_each_branch_and_tag_is_still_read(
    servers: Servers, root: str, tmp_path: Path
) -> None:
    connections = servers.connections(tmp_path)
    catalog = catalogs.connect("lake", connections)
    assert isinstance(catalog, NessieCatalog)
    content = {root: {"tables": {"t": {"columns": {"i": "int"}, "maintenance": POLICY}}}}
    assert reconcile(lakehouse(content), connections).exit_code == 0
    name, tag, branch = f"{root}.t", f"v{root}", f"b{root}"

    append(connections, name, 1)
    catalog.references.create(tag, "tag")
    overwrite(connections, name, 2, 3)
    catalog.references.create(branch, "branch")
    on_branch = servers.connections(tmp_path, branch=branch)
    append(on_branch, name, 4)
    former, name = name, f"{root}.renamed"
    facts = catalog.read({former}).tables[former]
    catalog.rename_table(former, name, facts.uuid)
    overwrite(connections, name, 5)
    append(connections, name, 6)
    orphan = f"{facts.location}/data/nobody-knows-me.parquet"
    Objects(connections).write(orphan, b"left by a failed writer")

    content = {root: {"tables": {"renamed": content[root]["tables"]["t"]}}}
    try:
        done = maintained(lakehouse(content), connections, name)
        assert done["expire snapshots"]["expired_snapshots"] == 5, "2 appends, 2 overwrites of 2; the last stays"
        assert done["expire snapshots"]["deleted_files"] > 0
        assert done["remove orphans"]["deleted_files_count"] == 1
        rows = {
            "main": read(connections, name),
            branch: read(on_branch, former),
            tag: read(servers.connections(branch=tag), former),
        }
        assert rows == {"main": [5, 6], branch: [2, 3, 4], tag: [1]}
        for snapshot in tables.load(catalogs.connect("lake", on_branch), former, on_branch).snapshots():
            past(on_branch, former, snapshot.snapshot_id)  # raises if a file of it is gone
        catalog.references.delete(branch, "branch")
        catalog.references.delete(tag, "tag")
        assert maintained(lakehouse(content), connections, name)["remove orphans"]["deleted_files_count"] > 1
        assert read(connections, name) == [5, 6]
    finally:
        for each in catalog.references.list():
            if each.name in (tag, branch):
                catalog.references.delete(each.name, each.kind)


def maintained(wanted: Any, connections: Any, table: str) -> dict[str, Mapping[str, Any]]:
    """The answers of the steps, nine days later."""
    meant = run.chosen(wanted, "lakehouse.yaml", [f"lake.{table}"])
    work = list(run.prepare(wanted, connections, meant, run.today() + timedelta(days=9)))
    (outcome,) = run.carry_out(work, connections, NoEngine(), lambda work, action: None)
    assert outcome.well, (outcome.failed, outcome.work.steps)
    return dict(outcome.done)


def batch(*numbers: int) -> pa.Table:
    return pa.table({"i": pa.array(numbers, pa.int32())})


def append(connections: Any, name: str, *numbers: int) -> None:
    tables.load(catalogs.connect("lake", connections), name, connections).append(batch(*numbers))


def overwrite(connections: Any, name: str, *numbers: int) -> None:
    tables.load(catalogs.connect("lake", connections), name, connections).overwrite(batch(*numbers))


def past(connections: Any, name: str, snapshot: int | None = None) -> list[int]:
    table = tables.load(catalogs.connect("lake", connections), name, connections)
    return sorted(table.scan(snapshot_id=snapshot).to_arrow().column("i").to_pylist())


def read(connections: Any, name: str) -> list[int]:
    return past(connections, name)
