"""`lakehouse maintain` while engines write, rename and relocate: no acknowledged row is lost.

``LAKEHOUSE_ROUNDS=20 python -m pytest tests/bench/test_maintain.py -s`` for a campaign; it prints what happened. Before
each round every file in the store is made five days old, so that whatever `maintain` takes for garbage goes at once.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lakehouse.runtimes import processes
from tests.bench.writer import Writer
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.bench, pytest.mark.timeout(4 * 3600)]

ROUNDS = int(os.environ.get("LAKEHOUSE_ROUNDS", "5"))
NAMES = ("one", "two", "three")
TABLE = {"columns": {"id": "long"}, "deletable": True, "properties": {"gc.enabled": True}}
POLICY: dict[str, Any] = {
    "compact": {"min_files": 2},
    "rewrite_manifests": True,
    "expire_snapshots": {"older_than_days": 1, "retain_last": 1},
    "remove_orphans": {"older_than_days": 2},
}


def tables(deployment: Deployment) -> list[str]:
    return [f"lake.busy.{name}" for (name,) in deployment.trino("SHOW TABLES FROM lake.busy")]


def disturb(deployment: Deployment, chance: random.Random, number: int) -> str:
    """Rename a declared table, move its location, or copy it. Returns what was done."""
    what, table = chance.choice(["rename", "relocate", "copy"]), f"lake.busy.{chance.choice(NAMES)}"
    if what == "rename":
        deployment.trino(f"ALTER TABLE {table} RENAME TO {table}_{number}")
        deployment.lakehouse("apply", code=None)  # makes the declared table again, in a folder of its own
    elif what == "relocate":
        place = f"s3://warehouse/lake/busy/elsewhere_{number}"
        sql = f"ALTER TABLE {table} SET LOCATION '{place}'"
        deployment.lakehouse("sql", "--engine", "spark", "-e", sql)
    else:
        deployment.trino(f"CREATE TABLE {table}_copy_{number} AS SELECT -id AS id FROM {table}")
    return what


def age(deployment: Deployment) -> None:
    """Five days pass in the store."""
    then = time.time() - 5 * 86400
    for path in deployment.local.state.data("s3proxy").rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def test_no_row_is_lost_to_maintenance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {"tables": dict.fromkeys(NAMES, TABLE), "maintenance": POLICY}
    deployment = Deployment.make(tmp_path / "lakehouse", {("catalogs", "lake", "namespaces", "busy"): content})
    chance = random.Random(int(os.environ.get("LAKEHOUSE_SEED", "1")))
    kinds: Counter[str] = Counter()
    lost: set[int] = set()
    try:
        deployment.deploy()
        writer = Writer(deployment, lambda: f"lake.busy.{chance.choice(NAMES)}")
        for number in range(1, ROUNDS + 1):
            with writer.writing():
                kinds[disturb(deployment, chance, number)] += 1
                time.sleep(2)
            age(deployment)
            with writer.writing():
                shown = deployment.lakehouse("maintain", code=None)
            union = " UNION ALL ".join(f"SELECT id FROM {table}" for table in tables(deployment))
            lost = writer.acknowledged - {row[0] for row in deployment.trino(union)}
            with capsys.disabled():
                print(f"round {number:3} {len(writer.acknowledged):5} acknowledged, {len(lost)} lost")
            assert lost == set(), shown
    finally:
        deployment.cdktf("destroy", "local", "--auto-approve", code=None)
        processes.end(processes.belonging(deployment.local.state))
    with capsys.disabled():
        print(f"{ROUNDS} rounds: {dict(kinds)}; {len(writer.acknowledged)} rows acknowledged, {len(lost)} lost")
