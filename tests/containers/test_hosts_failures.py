"""`runtime: hosts` when machines fail: one that dies, one that is cut off, one whose disk is full.

Three machines (tests/containers/machines.py) with SeaweedFS, Iceberg's REST catalog on PostgreSQL, Spark without a
cluster, and a Trino whose queries outlive their workers. All tests share one deployment, in their order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from trino.exceptions import TrinoQueryError

from bootstrap.session import clients
from bootstrap.session.target import find
from tests.containers.machines import LEFT, NETWORK, THREE, docker, inside
from tests.containers.on_hosts import OPEN, made, until_all_well
from tests.integration import trino_cluster as cluster
from tests.integration.deployment import Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

DISK = "/var/lib/lakehouse"  # of the machine with the store and the database: 3 GB, so that it can be filled
CUT = "nft add table inet cut"
for _way in ("input", "output"):
    CUT += f"; nft add chain inet cut {_way} '{{ type filter hook {_way} priority -300; policy drop; }}'"


@pytest.fixture(scope="module")
def placed(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("failures") / "a lakehouse"
    engines = {"trino": cluster.TRINO, "spark": {"cluster": False, "memory": "512m", "driver_memory": "512m"}}
    options = {**OPEN, "hosts": THREE, "store": "seaweedfs", "catalogs": {"lake": "rest"}}
    inside("a", f"mkdir -p {DISK} && mount -t tmpfs -o size=3g,mode=755 tmpfs {DISK}")
    with up(made(folder, machines, engines, options)) as deployment:
        yield deployment


def finding(placed: Deployment, host: str) -> dict[str, str]:
    """What `lakehouse doctor` says of a host."""
    checks = json.loads(placed.lakehouse("doctor", "--json", code=None))["checks"]
    (found,) = (each for each in checks if each["found"].startswith((f"{host}:", f"{host} ")))
    return dict(found)


def test_rows_by_spark_are_read_by_trino(placed: Deployment) -> None:
    cluster.until_complete(placed)
    for sql in (
        "CREATE TABLE lake.silver.kept (id INT, word STRING)",
        "INSERT INTO lake.silver.kept SELECT id, 'by Spark' FROM range(3)",
    ):
        placed.lakehouse("sql", "--engine", "spark", "-e", sql)
    assert placed.trino("SELECT count(*), min(word) FROM lake.silver.kept") == [[3, "by Spark"]]
    cluster.works_on_workers_only(placed)
    placed.lakehouse("verify")
    assert placed.planned() == set()


def test_a_query_ends_although_the_machine_of_a_worker_dies(placed: Deployment) -> None:
    name = f"{NETWORK}-c"
    cluster.a_query_outlives_a_worker(
        placed, lambda _: docker("kill", "--signal", "KILL", name), lambda: docker("start", name), times=6
    )
    until_all_well(placed)
    assert placed.planned() == set()


def test_a_query_ends_although_the_machine_of_a_worker_is_cut_off(placed: Deployment) -> None:
    cluster.a_query_outlives_a_worker(
        placed, lambda _: cut_off(placed), lambda: inside("c", "nft delete table inet cut; true"), times=6
    )
    until_all_well(placed)
    assert finding(placed, "c")["severity"] == "ok"
    assert placed.planned() == set()


def cut_off(placed: Deployment) -> None:
    """No packet reaches the machine, or leaves it: unlike after its death, nobody refuses a connection."""
    inside("c", CUT)
    shown = json.loads(placed.lakehouse("status", "--json", code=1))["services"]
    assert {each["name"] for each in shown if each["state"] == "UNREACHABLE"} == {"trino-worker-2"}
    assert finding(placed, "c")["severity"] == "error"


def test_a_full_disk_is_named_and_nothing_is_lost(placed: Deployment) -> None:
    inside("a", f"fallocate -l $(df --output=avail -B1 {DISK} | tail -1) {DISK}/full; true")
    found = finding(placed, "a")
    assert found["severity"] == "error"
    assert "0 MB free" in found["found"]
    with pytest.raises(TrinoQueryError):
        placed.trino("CREATE TABLE lake.silver.more AS SELECT * FROM tpch.sf1.orders")
    assert "warning: Host a: " in placed.lakehouse("diff", code=None), "nothing would change, so nothing is refused"
    assert "then `lakehouse restart seaweedfs`" in found["fix"]
    inside("a", f"rm {DISK}/full")
    placed.lakehouse("restart", "seaweedfs")
    began = time.monotonic()
    for bucket in ("warehouse", cluster.BUCKET):  # SeaweedFS looks at its disk once a minute
        until(partial(takes_objects, placed, bucket), 120)
        print(f"{bucket} takes objects after {time.monotonic() - began:.0f} s")
    until_all_well(placed)
    until(lambda: answered(placed, "INSERT INTO lake.silver.kept VALUES (3, 'after it')") == [[1]], 300)
    until(lambda: answered(placed, "SELECT count(*), min(word) FROM lake.silver.kept") == [[4, "after it"]], 300)
    assert finding(placed, "a")["severity"] in ("ok", "warning")
    assert placed.planned() == set()


def takes_objects(placed: Deployment, bucket: str) -> bool:
    store = clients.s3(find(placed.file, "local"))
    try:
        store.put_object(Bucket=bucket, Key="probe", Body=b"a few bytes")
    except ClientError:
        return False
    store.delete_object(Bucket=bucket, Key="probe")
    return True


def answered(placed: Deployment, sql: str) -> list[list[Any]]:
    """The rows of a query; none if it fails."""
    try:
        return placed.trino(sql)
    except TrinoQueryError:
        return []


def test_destroy_leaves_only_data(placed: Deployment) -> None:
    placed.destroy()
    assert [inside(host, LEFT) for host in ("a", "b", "c")] == ["", "", ""]
    placed.lakehouse("destroy", "--data", "--yes")
    assert [inside(host, f"ls {DISK} 2>/dev/null; true") for host in ("a", "b", "c")] == ["", "", ""]
