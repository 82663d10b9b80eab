"""`runtime: hosts` with workers of Trino and Spark, and hosts that come, go and are down.

All tests share one deployment (machines: tests/containers/machines.py), in their order: each leaves it as it found it,
but for the host that is added and removed. What `make test` asks of hosts is in test_hosts.py.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lakehouse.packages.environment import ANSIBLE
from tests.containers.machines import HOSTS, LEFT, NETWORK, THREE, B, C, docker, inside, reaches
from tests.containers.on_hosts import (
    OPEN,
    active_workers,
    made,
    pids,
    services_planned,
    started_again,
    unit,
    until_all_well,
)
from tests.integration.deployment import PROJECT, Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(1800)]

WORKERS = {"trino-worker-1", "trino-worker-2", "spark-worker-1", "spark-worker-2"}
LONG = (
    "SELECT count(DISTINCT a.comment || cast(b.linenumber AS varchar)) FROM tpch.sf1.lineitem a, tpch.tiny.lineitem b"
)
LONG += " WHERE a.orderkey = b.orderkey"


@pytest.fixture(scope="module")
def placed(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Store, catalog, Trino's coordinator and Spark's master on one machine, two workers of both on the other."""
    folder = tmp_path_factory.mktemp("workers") / "a lakehouse"
    engines = {
        "trino": {"memory": "768m", "workers": 2, "catalogs": {"tpch": {"connector.name": "tpch"}}},
        "spark": {"memory": "512m", "driver_memory": "512m", "workers": 2, "cores": 1},
    }
    with up(made(folder, machines, engines, OPEN)) as deployment:
        yield deployment


def spark(placed: Deployment, sql: str) -> str:
    return placed.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", sql)


def test_both_engines_work_on_the_workers_of_the_other_machine(placed: Deployment) -> None:
    until(lambda: len(active_workers(placed)) == 2, 120)
    spark(placed, "CREATE TABLE lake.silver.hosts AS SELECT id, 'by Spark' AS word FROM range(3)")
    assert active_workers(placed) == {"trino-worker-1": B, "trino-worker-2": B}
    assert placed.trino("SELECT count(*) FROM tpch.tiny.lineitem") == [[60175]]
    assert placed.trino("SELECT count(*), min(word) FROM lake.silver.hosts") == [[3, "by Spark"]]
    executors = inside("b", "ps -eo args | grep '[C]oarseGrained'; true")
    assert executors != ""
    assert "3" in placed.lakehouse("sql", "-e", "SELECT count(*) FROM lake.silver.hosts")


def test_every_engine_reads_what_the_others_wrote(placed: Deployment) -> None:
    placed.lakehouse("verify")


def test_the_playbook_alone_has_nothing_to_change(placed: Deployment) -> None:
    inventory = placed.local.state.root / "hosts" / "inventory"
    output = subprocess.run(
        [ANSIBLE.program, "--check", "-i", inventory, "site.yml"],
        cwd=PROJECT / "ansible", capture_output=True, text=True, check=False, timeout=600,
    ).stdout  # fmt: skip
    recap = re.findall(r"^(\w+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", output, re.MULTILINE)
    assert [(name, *rest) for name, ok, *rest in recap] == [("a", "0", "0", "0"), ("b", "0", "0", "0")], output
    assert all(int(ok) > 10 for _, ok, *_ in recap), output


def test_commands_reach_the_hosts_by_ssh(placed: Deployment) -> None:
    shown = {each["name"]: each for each in json.loads(placed.lakehouse("status", "--json"))["services"]}
    assert shown.keys() >= {"s3proxy", "nessie", "trino", "spark-connect", *WORKERS}
    assert "Started daemon" in placed.lakehouse("logs", "spark-worker-1", "-n", "100000")
    before = pids(placed)
    placed.lakehouse("restart", "trino-worker-1")
    assert started_again(before, pids(placed)) == {"trino-worker-1"}
    doctor = placed.lakehouse("doctor", code=None)
    assert "a: " in doctor
    assert "MiB of memory" in doctor
    assert services_planned(placed) == set()


def test_workers_start_again_one_at_a_time_and_queries_end_well(placed: Deployment) -> None:
    """Trino's units were edited, and a package of Spark's workers lost a file: each worker is drained before."""
    until(lambda: len(active_workers(placed)) == 2, 120)
    for name in ("trino-worker-1", "trino-worker-2"):
        inside("b", f"echo '# by hand' >>/etc/systemd/system/{unit(placed, name)}")
    assert inside("b", "find /opt/lakehouse/*/delta-spark-* -name '*.jar' | head -1 | xargs -t rm 2>&1").startswith(
        "rm"
    )
    assert services_planned(placed) == {*WORKERS, "host-b"}
    before, counts = pids(placed), []
    with ThreadPoolExecutor(1) as pool:
        deploy = pool.submit(placed.deploy)
        while not deploy.done():
            counts.append(placed.trino(LONG))
        output = deploy.result()
    assert len(counts) > 1
    assert counts == counts[:1] * len(counts)
    assert "was not drained" not in output
    assert started_again(before, pids(placed)) == WORKERS
    assert inside("b", "find /opt/lakehouse/*/delta-spark-* -name '*.jar'").split()
    assert "3" in spark(placed, "SELECT count(*) FROM lake.silver.hosts")
    assert services_planned(placed) == set()


def test_killed_workers_are_back_by_themselves(placed: Deployment) -> None:
    before = pids(placed)
    killed = {"trino-worker-1", "spark-worker-1"}
    inside("b", f"kill -9 {' '.join(str(before[each]) for each in killed)}")
    until_all_well(placed)
    until(lambda: len(active_workers(placed)) == 2, 120)
    assert started_again(before, pids(placed)) == killed
    assert services_planned(placed) == set()


def test_an_added_host_takes_only_what_moves_there(placed: Deployment) -> None:
    placed.change("stacks", "local", "hosts", to=THREE)
    moved = {"trino-worker-2", "spark-worker-2"}
    assert services_planned(placed) == {*moved, "host-a", "host-b", "host-c"}  # each firewall lets in the new one
    before = pids(placed)
    placed.deploy()
    assert started_again(before, pids(placed)) == moved
    until(lambda: active_workers(placed) == {"trino-worker-1": B, "trino-worker-2": C}, 120)
    assert "spark-worker-2" not in inside("b", "ls /etc/systemd/system /etc/lakehouse/*")
    spark(placed, "INSERT INTO lake.silver.hosts SELECT id, 'on two machines' FROM range(4)")
    assert placed.trino("SELECT count(*) FROM lake.silver.hosts") == [[7]]
    assert reaches("c", B, placed.port("trino-worker-1"))
    assert not reaches("stranger", C, placed.port("trino-worker-2"))
    assert services_planned(placed) == set()


def test_services_are_back_after_a_restart_of_the_machine(placed: Deployment) -> None:
    docker("restart", f"{NETWORK}-b")
    until_all_well(placed)
    assert not reaches("stranger", B, placed.port("trino-worker-1"))
    assert services_planned(placed) == set()


def test_a_host_that_is_down_is_named_and_the_others_go_on(placed: Deployment) -> None:
    docker("stop", f"{NETWORK}-c")
    inside("b", f"systemctl stop {unit(placed, 'spark-worker-1')}")
    down = {"trino-worker-2", "spark-worker-2"}
    assert services_planned(placed) == {"spark-worker-1", *down}
    shown = json.loads(placed.lakehouse("status", "--json", code=1))["services"]
    assert {each["name"] for each in shown if each["state"] == "UNREACHABLE"} == down
    assert "c does not answer" in placed.lakehouse("doctor", code=1)
    for command in ("restart", "logs"):
        assert "Host c (admin@10.66.7.13, port 22) is not reached" in placed.lakehouse(
            command, "trino-worker-2", code=1
        )
    assert "trino-worker-2 | Host c (admin@10.66.7.13, port 22) is not reached" in placed.lakehouse("logs")
    before = pids(placed)
    output = placed.deploy(code=1)
    assert "Host c (admin@10.66.7.13, port 22) is not reached" in output
    assert started_again(before, pids(placed)) == {"spark-worker-1"}
    assert placed.trino("SELECT count(*) FROM lake.silver.hosts") == [[7]]
    docker("start", f"{NETWORK}-c")
    until_all_well(placed)
    placed.deploy()
    assert placed.planned() == set()


def test_a_host_that_leaves_the_file_is_cleared(placed: Deployment) -> None:
    placed.change("stacks", "local", "hosts", to=HOSTS)
    before = pids(placed)
    placed.deploy()
    assert started_again(before, pids(placed)) == {"trino-worker-2", "spark-worker-2"}
    assert inside("c", LEFT) == ""
    assert inside("c", "ls /var/lib/lakehouse 2>/dev/null; true") == "", "what workers keep can be made again"
    until(lambda: active_workers(placed) == {"trino-worker-1": B, "trino-worker-2": B}, 120)
    assert services_planned(placed) == set()


def test_a_destroy_clears_the_other_hosts_if_one_is_down(placed: Deployment) -> None:
    docker("stop", f"{NETWORK}-b")
    said = " ".join(placed.destroy(code=1).replace("│", " ").split())
    assert "Host b (admin@10.66.7.12, port 22) is not reached" in said
    assert "If it is gone for good, remove" in said
    assert inside("a", LEFT) == ""
    docker("start", f"{NETWORK}-b")
    until(lambda: reaches("stranger", B, 22), 60)
    placed.destroy()
    assert inside("b", LEFT) == ""
