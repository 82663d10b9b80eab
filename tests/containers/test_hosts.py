"""`runtime: hosts` on machines: see tests/containers/machines.py.

All tests share one deployment, in their order: each leaves it as it found it, but for the host that is added and
removed. `-m "not matrix"` and `-m matrix` leave some out, so none needs what one of the other selection did.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.packages.environment import ANSIBLE
from lakehouse.runtimes.hosts.runtime import Hosts
from tests.containers.machines import HOSTS, LEFT, NETWORK, THIS, A, B, C, docker, inside, reaches
from tests.integration.deployment import PROJECT, Deployment, until, up

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

WORKERS = {"trino-worker-1", "trino-worker-2", "spark-worker-1", "spark-worker-2"}
LONG = (
    "SELECT count(DISTINCT a.comment || cast(b.linenumber AS varchar)) FROM tpch.sf1.lineitem a, tpch.tiny.lineitem b"
)
LONG += " WHERE a.orderkey = b.orderkey"


@pytest.fixture(scope="module")
def placed(
    machines: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Deployment]:
    """Store, catalog, Trino's coordinator and Spark's master on one machine, two workers of both on the other.

    If no test of the matrix asks for it, Spark has no cluster: that saves three services, and a machine its packages.
    """
    chosen = (item for item in request.session.items if item.path == request.path)
    whole = any(item.get_closest_marker("matrix") for item in chosen)
    folder = tmp_path_factory.mktemp("hosts") / "a lakehouse"
    tpch = {"tpch": {"connector.name": "tpch"}}
    made = Deployment.make(
        folder,
        {
            ("stacks",): {
                "local": {
                    "runtime": "hosts",
                    "hosts": HOSTS,
                    "clients": [THIS],
                    "network": "trusted",
                    "store": "s3proxy",
                    "catalogs": {"lake": "nessie"},
                }
            },
            ("engines",): {
                "trino": {"memory": "768m", "workers": 2, "catalogs": tpch},
                "spark": {
                    "memory": "512m",
                    "driver_memory": "512m",
                    **({"workers": 2, "cores": 1} if whole else {"cluster": False}),
                },
            },
        },
    )
    shutil.copy(machines, folder / "id")
    (folder / "id").chmod(0o600)
    patient = replace(made, patience=1500)  # packages of a gigabyte go to each host, and a busy machine takes its time
    with up(patient):
        yield patient


def hosts(placed: Deployment) -> Hosts:
    runtime = placed.local.runtime
    assert isinstance(runtime, Hosts)
    return runtime


def unit(placed: Deployment, service: str) -> str:
    return hosts(placed).place.layout.unit(service)


def clustered(placed: Deployment) -> bool:
    """Whether Spark has workers."""
    return "spark-worker-1" in {each.name for each in placed.local.services}


def pids(placed: Deployment) -> dict[str, int]:
    return {name: each.pid for name, each in hosts(placed).processes().items()}


def started_again(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def services_planned(placed: Deployment) -> set[str]:
    """What a deploy would touch, without the steps that any change brings along."""
    return placed.planned() - {"preflight", "bootstrap"}


def spark(placed: Deployment, sql: str) -> str:
    return placed.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", sql)


def active_nodes(placed: Deployment) -> dict[str, str]:
    found = placed.trino(
        "SELECT node_id, http_uri FROM system.runtime.nodes WHERE NOT coordinator AND state = 'active'"
    )
    return {str(name): str(uri).split("//")[1].partition(":")[0] for name, uri in found}


def until_all_well(placed: Deployment) -> None:
    until(lambda: all(hosts(placed).healthy().values()), 300, lambda: placed.lakehouse("status", code=None))


@pytest.fixture(scope="module")
def rows(placed: Deployment) -> None:
    """A table that Spark wrote: three rows."""
    until(lambda: len(active_nodes(placed)) == 2, 120)
    spark(placed, "CREATE TABLE lake.silver.hosts AS SELECT id, 'by Spark' AS word FROM range(3)")


def test_both_engines_work_on_the_workers_of_the_other_machine(placed: Deployment, rows: None) -> None:
    assert active_nodes(placed) == {"trino-worker-1": B, "trino-worker-2": B}
    assert placed.trino("SELECT count(*) FROM tpch.tiny.lineitem") == [[60175]]
    assert placed.trino("SELECT count(*), min(word) FROM lake.silver.hosts") == [[3, "by Spark"]]
    executors = inside("b", "ps -eo args | grep '[C]oarseGrained'; true")
    assert (executors != "") == clustered(placed)
    assert "3" in placed.lakehouse("sql", "-e", "SELECT count(*) FROM lake.silver.hosts")


@pytest.mark.matrix
def test_every_engine_reads_what_the_others_wrote(placed: Deployment) -> None:
    placed.lakehouse("verify")


def test_a_second_deploy_changes_nothing(placed: Deployment) -> None:
    assert placed.planned() == set()
    before = pids(placed)
    assert "0 added, 0 changed, 0 destroyed" in placed.deploy()
    assert pids(placed) == before


@pytest.mark.matrix
def test_the_playbook_alone_has_nothing_to_change(placed: Deployment) -> None:
    inventory = placed.local.state.root / "hosts" / "inventory"
    output = subprocess.run(
        [ANSIBLE.program, "--check", "-i", inventory, "site.yml"],
        cwd=PROJECT / "ansible", capture_output=True, text=True, check=False, timeout=600,
    ).stdout  # fmt: skip
    recap = re.findall(r"^(\w+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", output, re.MULTILINE)
    assert [(name, *rest) for name, ok, *rest in recap] == [("a", "0", "0", "0"), ("b", "0", "0", "0")], output
    assert all(int(ok) > 10 for _, ok, *_ in recap), output


def test_the_firewall_lets_in_the_hosts_and_clients_only(placed: Deployment) -> None:
    trino, worker = placed.port("trino"), placed.port("trino-worker-1")
    assert reaches("b", A, trino)
    assert reaches("a", B, worker)
    assert not reaches("stranger", A, trino)
    assert not reaches("stranger", B, worker)
    assert reaches("stranger", A, 22), "other ports stay as they are"


def test_services_run_as_their_user_and_secrets_are_nowhere_else(placed: Deployment) -> None:
    users = inside("a", "ps -eo user:32,args | grep [j]ava | cut -d' ' -f1 | sort -u").split()
    assert users == [hosts(placed).place.layout.user]
    secret = placed.local.state.secret("trino-internal")
    assert secret not in inside("a", "ps -eo args") + inside("b", "journalctl --no-pager")
    assert inside("b", f"grep -rl {secret} /etc /opt /var/lib 2>/dev/null; true").split() != []
    for path in (*placed.folder.glob("terraform*"), *(placed.folder / "cdktf.out").rglob("*.json")):
        assert secret not in path.read_text(errors="replace")
    modes = inside("b", "find /etc/lakehouse -type f -name config.properties -printf '%m %u\\n'").splitlines()
    assert {each.split()[0] for each in modes} == {"600"}


@pytest.mark.matrix
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


def test_what_was_changed_by_hand_is_seen_and_repaired_alone(placed: Deployment) -> None:
    """A unit that was edited, one that got a part, one that was stopped, and the firewall."""
    changed, extended, stopped = "trino-worker-2", "trino-worker-1", "trino-worker-1"
    if clustered(placed):
        extended, stopped = "spark-worker-2", "spark-worker-1"
    edited = f"/etc/systemd/system/{unit(placed, changed)}"
    inside("b", f"sed -i s/MemoryMax=.*/MemoryMax=infinity/ {edited}")
    added = f"/etc/systemd/system/{unit(placed, extended)}.d"
    inside("b", f"mkdir {added}; printf '[Service]\\nNice=5\\n' >{added}/override.conf; systemctl daemon-reload")
    inside("b", f"systemctl stop {unit(placed, stopped)}")
    inside("a", f"nft delete table inet {hosts(placed).place.layout.table}")
    assert reaches("stranger", A, placed.port("trino"))
    meant = {changed, extended, stopped}
    assert services_planned(placed) == {*meant, "host-a"}
    assert stopped in placed.lakehouse("diff", code=None)
    before = pids(placed)
    placed.deploy()
    assert started_again(before, pids(placed)) == meant
    assert "MemoryMax=infinity" not in inside("b", f"cat {edited}; ls {added} 2>&1; true")
    assert "override" not in inside("b", f"ls {added} 2>&1; true")
    assert not reaches("stranger", A, placed.port("trino"))
    assert services_planned(placed) == set()


@pytest.mark.matrix
def test_workers_start_again_one_at_a_time_and_queries_end_well(placed: Deployment, rows: None) -> None:
    """Trino's units were edited, and a package of Spark's workers lost a file: each worker is drained before."""
    until(lambda: len(active_nodes(placed)) == 2, 120)
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


def test_a_killed_worker_is_back_by_itself(placed: Deployment) -> None:
    before = pids(placed)
    killed = {"trino-worker-1", *(["spark-worker-1"] if clustered(placed) else [])}
    inside("b", f"kill -9 {' '.join(str(before[each]) for each in killed)}")
    until_all_well(placed)
    until(lambda: len(active_nodes(placed)) == 2, 120)
    assert started_again(before, pids(placed)) == killed
    assert services_planned(placed) == set()


@pytest.mark.matrix
def test_an_added_host_takes_only_what_moves_there(placed: Deployment, rows: None) -> None:
    more = {**HOSTS, "c": {"address": C, "user": "admin", "key": "id"}}
    placed.change("stacks", "local", "hosts", to=more)
    moved = {"trino-worker-2", "spark-worker-2"}
    assert services_planned(placed) == {*moved, "host-a", "host-b", "host-c"}  # each firewall lets in the new one
    before = pids(placed)
    placed.deploy()
    assert started_again(before, pids(placed)) == moved
    until(lambda: active_nodes(placed) == {"trino-worker-1": B, "trino-worker-2": C}, 120)
    assert "spark-worker-2" not in inside("b", "ls /etc/systemd/system /etc/lakehouse/*")
    spark(placed, "INSERT INTO lake.silver.hosts SELECT id, 'on two machines' FROM range(4)")
    assert placed.trino("SELECT count(*) FROM lake.silver.hosts") == [[7]]
    assert reaches("c", B, placed.port("trino-worker-1"))
    assert not reaches("stranger", C, placed.port("trino-worker-2"))
    assert services_planned(placed) == set()


@pytest.mark.matrix
def test_services_are_back_after_a_restart_of_the_machine(placed: Deployment) -> None:
    docker("restart", f"{NETWORK}-b")
    until_all_well(placed)
    assert not reaches("stranger", B, placed.port("trino-worker-1"))
    assert services_planned(placed) == set()


@pytest.mark.matrix
def test_a_host_that_is_down_is_named_and_the_others_go_on(placed: Deployment) -> None:
    docker("stop", f"{NETWORK}-c")
    inside("b", f"systemctl stop {unit(placed, 'spark-worker-1')}")
    down = {"trino-worker-2", "spark-worker-2"}
    assert services_planned(placed) == {"spark-worker-1", *down}
    shown = json.loads(placed.lakehouse("status", "--json", code=1))["services"]
    assert {each["name"] for each in shown if each["state"] == "UNREACHABLE"} == down
    assert "c does not answer" in placed.lakehouse("doctor", code=1)
    before = pids(placed)
    output = placed.deploy(code=1)
    assert "Host c (admin@10.66.7.13, port 22) is not reached" in output
    assert started_again(before, pids(placed)) == {"spark-worker-1"}
    assert placed.trino("SELECT count(*) FROM lake.silver.hosts") == [[7]]
    docker("start", f"{NETWORK}-c")
    until_all_well(placed)
    placed.deploy()
    assert placed.planned() == set()


@pytest.mark.matrix
def test_a_host_that_leaves_the_file_is_cleared(placed: Deployment) -> None:
    placed.change("stacks", "local", "hosts", to=HOSTS)
    before = pids(placed)
    placed.deploy()
    assert started_again(before, pids(placed)) == {"trino-worker-2", "spark-worker-2"}
    assert inside("c", LEFT) == ""
    until(lambda: active_nodes(placed) == {"trino-worker-1": B, "trino-worker-2": B}, 120)
    assert services_planned(placed) == set()


def test_destroy_leaves_only_data(placed: Deployment) -> None:
    placed.destroy()
    for host in ("a", "b"):
        assert inside(host, LEFT) == ""
    assert inside("a", "stat -c '%U %a' /var/lib/lakehouse/*").split() == ["root", "700"]
    placed.lakehouse("destroy", "--data", "--yes")
    for host in ("a", "b"):
        assert inside(host, "ls /var/lib/lakehouse 2>/dev/null; true") == ""
