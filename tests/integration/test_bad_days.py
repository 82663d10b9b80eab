"""Bad days: killed services come back, faults are named, and no row is lost.

Each test leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lakehouse.runtimes import processes
from lakehouse.runtimes.process.incarnation import healthy
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.spec import load
from lakehouse.spec.ports import ports
from tests.integration.deployment import BIN, ROW, Deployment, a_row, kept, read, until, until_well

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SERVICES = ("s3proxy", "nessie", "spark-master", "spark-worker-1", "spark-worker-2", "spark-connect", "trino")


@pytest.fixture(scope="module")
def row(deployed: Deployment) -> Iterator[None]:
    with a_row(deployed):
        yield


@pytest.fixture(autouse=True)
def same_file(deployed: Deployment) -> Iterator[None]:
    """A bad day that fails must not spoil the next one's file."""
    with kept(deployed.file):
        yield


def spark(deployed: Deployment, sql: str) -> str:
    return deployed.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", sql)


def sick(deployed: Deployment) -> list[str]:
    """The services that are not healthy now."""
    local = deployed.local
    return [name for name, well in healthy(local.services, local.state).items() if not well]


def test_killed_services_are_restarted(deployed: Deployment, row: None) -> None:
    supervisor = Supervisor(deployed.local.state)
    for service in SERVICES:
        killed = supervisor.processes()[service].pid
        os.kill(killed, signal.SIGKILL)
        until(lambda name=service, old=killed: supervisor.processes()[name].pid not in (0, old))  # type: ignore[misc]
    until_well(deployed, sick)
    assert read(deployed) == ROW
    assert "here before" in spark(deployed, "SELECT word FROM lake.silver.bad_days")


def test_spark_works_again_if_all_of_it_died_at_once(deployed: Deployment, row: None) -> None:
    """As after a restart of the machine: its new workers meet a master that remembers those of before."""
    supervisor = Supervisor(deployed.local.state)
    before = {name: supervisor.processes()[name].pid for name in SERVICES if name.startswith("spark")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: all(supervisor.processes()[name].pid not in (0, pid) for name, pid in before.items()))
    until_well(deployed, sick)
    assert "here before" in spark(deployed, "SELECT word FROM lake.silver.bad_days")


def test_a_killed_stack_shows_in_diff_and_deploy_repairs(deployed: Deployment, row: None) -> None:
    """The supervisor is killed, then some of its services: remaining ones are ended, killed ones come back."""
    state = deployed.local.state
    os.kill(int(state.pid_file.read_text()), signal.SIGKILL)
    assert set(SERVICES) < deployed.planned()
    orphans = list(processes.belonging(state, "nessie"))
    for service in set(SERVICES) - {"nessie", "spark-worker-1"}:
        for process in processes.belonging(state, service):
            process.kill()
    deployed.deploy()
    assert orphans
    assert not any(each.is_running() for each in orphans)
    assert sick(deployed) == []
    assert read(deployed) == ROW
    assert "here before" in spark(deployed, "SELECT word FROM lake.silver.bad_days")
    assert deployed.planned() == set()


def test_an_edited_file_replaces_what_it_touches(deployed: Deployment, row: None) -> None:
    """One edit changes Trino, another drops a worker; then both are taken back."""
    before = deployed.change("engines", "trino", "memory", to="900m")
    assert deployed.planned() == {"preflight", "trino"}
    numbers = ports(load(deployed.file), "local")
    fewer = {name: number for name, number in numbers.items() if not name.startswith("spark-worker-2")}
    deployed.change("stacks", "local", "ports", to=fewer)
    deployed.change("engines", "spark", "workers", to=1)
    deployed.deploy()
    supervisor = Supervisor(deployed.local.state)
    assert "-Xmx900m" in psutil.Process(supervisor.processes()["trino"].pid).cmdline()
    assert "spark-worker-2" not in supervisor.processes()
    assert list(processes.belonging(deployed.local.state, "spark-worker-2")) == []
    deployed.file.write_text(before)
    deployed.deploy()
    assert sick(deployed) == []
    assert read(deployed) == ROW


def test_changed_contents_run_only_the_bootstrap_and_only_a_stopped_service_is_replaced(
    deployed: Deployment, row: None
) -> None:
    """One deploy for both. Each adds to the plan what it needs, and nothing else."""
    supervisor = Supervisor(deployed.local.state)
    before = {name: each.pid for name, each in supervisor.processes().items()}
    deployed.change(
        "catalogs", "lake", "namespaces", "gold", to={"tables": {"daily": {"columns": {"ticker": "string"}}}}
    )
    assert deployed.planned() == {"bootstrap"}
    supervisor.remove("spark-worker-2")
    assert deployed.planned() == {"bootstrap", "preflight", "spark-worker-2"}
    deployed.deploy()
    after = {name: each.pid for name, each in supervisor.processes().items()}
    assert {name for name in before if before[name] != after[name]} == {"spark-worker-2"}
    assert deployed.trino("SELECT count(*) FROM lake.gold.daily") == [[0]]
    deployed.trino("DROP TABLE lake.gold.daily")
    deployed.trino("DROP SCHEMA lake.gold")
    assert read(deployed) == ROW


def test_destroy_leaves_only_the_data_and_two_deploys_at_once_bring_it_up(deployed: Deployment, row: None) -> None:
    """Down, it refuses a taken port before anything starts. After interrupted deploys, two at once bring it up.

    The second one waits for the lock of the first, however close they are.
    """
    numbers = [port.number for service in deployed.local.services for port in service.ports]
    deployed.cdktf("destroy", "local", "--auto-approve")
    assert list(processes.belonging(deployed.local.state)) == []
    assert [number for number in numbers if processes.is_open(number)] == []
    assert "does not run" in deployed.lakehouse("restart", "trino", code=1)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", deployed.port("trino")))
        stranger.listen()
        output = deployed.deploy(code=1)
    flat = " ".join(output.replace("│", " ").split())
    assert f"ort {deployed.port('trino')} (trino) is taken by" in flat
    assert f"(pid {os.getpid()}," in flat
    assert list(processes.belonging(deployed.local.state)) == []
    # At several moments: Terraform may keep a resource as created although its step had not begun.
    for seconds in (0.5, 2, 3.5):
        interrupt(deployed, seconds)
    both = [deployed.popen(str(BIN / "cdktf"), "deploy", "local", "--auto-approve") for _ in range(2)]
    outputs = [each.communicate(timeout=300)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], outputs
    assert sick(deployed) == []
    assert read(deployed) == ROW


def pids(deployed: Deployment) -> set[int]:
    return {each.pid for each in Supervisor(deployed.local.state).processes().values()} - {0}


def interrupt(deployed: Deployment, seconds: float) -> None:
    """Start a deploy and send Ctrl-C some seconds after it started its first service."""
    before = pids(deployed)
    under_way = deployed.popen(str(BIN / "cdktf"), "deploy", "local", "--auto-approve")
    until(lambda: bool(pids(deployed) - before))
    time.sleep(seconds)
    os.killpg(under_way.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    output, _ = under_way.communicate(timeout=120)
    assert under_way.returncode != 0
    assert "Traceback" not in output


def test_a_preflight_that_fails_has_stopped_nothing(deployed: Deployment, row: None) -> None:
    """Trino and, with it, the supervisor's whole stack would be replaced; the port that the file wants is taken."""
    supervisor = Supervisor(deployed.local.state)
    before = {name: each.pid for name, each in supervisor.processes().items()}
    numbers = ports(load(deployed.file), "local")
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        file = deployed.change("stacks", "local", "ports", to={**numbers, "nessie": stranger.getsockname()[1]})
        deployed.change("engines", "trino", "memory", to="900m")
        output = " ".join(deployed.deploy(code=1).replace("│", " ").split())
    assert "(nessie) is taken by" in output
    assert {name: each.pid for name, each in supervisor.processes().items()} == before
    assert sick(deployed) == []
    assert read(deployed) == ROW
    deployed.file.write_text(file)
    deployed.deploy()
    assert {name: each.pid for name, each in supervisor.processes().items()} == before
    assert deployed.planned() == set()


def test_another_file_cannot_take_the_state_folder(deployed: Deployment, row: None, tmp_path: Path) -> None:
    state = str(deployed.local.state.root.parent)
    other = Deployment.make(tmp_path / "other", {("name",): "other", ("stacks", "local", "state"): state})
    before = {name: each.pid for name, each in Supervisor(deployed.local.state).processes().items()}
    for output in (
        other.deploy(code=1),
        other.lakehouse("destroy", "--data", "--yes", code=1),
        other.lakehouse("apply", code=1),
        other.lakehouse("restart", "trino", code=1),
    ):
        assert "belongs to the lakehouse" in " ".join(output.replace("│", " ").split())
    other.cdktf("destroy", "local", "--auto-approve")
    assert {name: each.pid for name, each in Supervisor(deployed.local.state).processes().items()} == before
    assert read(deployed) == ROW


def test_a_wrong_file_changes_nothing(deployed: Deployment, row: None) -> None:
    before = deployed.change("engines", "trino", "memory", to="much")
    try:
        output = deployed.deploy(code=1)
    finally:
        deployed.file.write_text(before)
    assert "engines.trino.memory" in output
    assert "Traceback" not in output
    assert sick(deployed) == []


@pytest.mark.parametrize("wrong", ["full", "read-only"])
def test_a_state_folder_that_cannot_be_written(tmp_path: Path, wrong: str) -> None:
    """A separate file system: root may write anywhere, so permissions alone prove nothing."""
    deployment = Deployment.make(tmp_path / "a lakehouse")
    state = deployment.folder / ".lakehouse"
    state.mkdir()
    options = "size=1m" if wrong == "full" else "ro"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(state)], check=False, capture_output=True
    )
    if mounted.returncode:
        state.chmod(0o500)
        if wrong == "full" or os.access(state, os.W_OK):
            pytest.skip("neither mount nor permissions can make such a folder here")
    try:
        output = " ".join(deployment.deploy(code=1).replace("│", " ").split())
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", str(state)], check=True)
        state.chmod(0o700)
        shutil.rmtree(state)
    assert ("MB are needed" if wrong == "full" else "cannot be written") in output
    assert "Traceback" not in output
