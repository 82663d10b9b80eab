"""Bad days: killed services come back, faults are named, and no row is lost.

Each test leaves the lakehouse up, and whole for the next one, which may be the one that takes its edits back.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pyiceberg.table import Table

from bootstrap import catalogs
from bootstrap.catalogs import tables
from bootstrap.session.connect import connect
from lakehouse.runtimes import processes
from lakehouse.runtimes.process.incarnation import healthy
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.spec import load
from lakehouse.spec.ports import ports
from tests.integration.deployment import BIN, ROW, Deployment, a_row, kept, read, until, until_well
from tests.integration.findings import doctor, errors

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


@pytest.mark.parametrize(
    "at_once", [True, pytest.param(False, marks=pytest.mark.matrix)], ids=["all at once", "one after the other"]
)
def test_killed_services_are_restarted(deployed: Deployment, row: None, at_once: bool) -> None:
    """At once is as after a restart of the machine: new workers meet a master that remembers those of before."""
    supervisor = Supervisor(deployed.local.state)

    def kill(*services: str) -> None:
        killed = {name: supervisor.processes()[name].pid for name in services}
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        until(lambda: all(supervisor.processes()[name].pid not in (0, pid) for name, pid in killed.items()))

    for services in [SERVICES] if at_once else [[each] for each in SERVICES]:
        kill(*services)
    until_well(deployed, sick)
    assert read(deployed) == ROW
    assert "here before" in spark(deployed, "SELECT word FROM lake.silver.bad_days")


def test_an_edited_file_replaces_what_it_touches_unless_the_preflight_fails(deployed: Deployment, row: None) -> None:
    """One deploy for changed contents, another memory of Trino, a worker less, and a service that was stopped.

    The preflight of the deploy before it fails, because a port that the file wants is taken: nothing was stopped.
    """
    supervisor = Supervisor(deployed.local.state)
    before = {name: each.pid for name, each in supervisor.processes().items()}
    deployed.change(
        "catalogs",
        "lake",
        "namespaces",
        "gold",
        to={"tables": {"daily": {"columns": {"ticker": "string", "n": "int"}}}},
    )
    assert deployed.planned() == {"bootstrap"}
    deployed.change("engines", "trino", "memory", to="900m")
    numbers = ports(load(deployed.file), "local")
    fewer = {name: number for name, number in numbers.items() if not name.startswith("spark-worker-2")}
    deployed.change("stacks", "local", "ports", to=fewer)
    deployed.change("engines", "spark", "workers", to=1)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        right = deployed.change("stacks", "local", "ports", to={**fewer, "nessie": stranger.getsockname()[1]})
        output = " ".join(deployed.deploy(code=1).replace("│", " ").split())
    assert "(nessie) is taken by" in output
    assert {name: each.pid for name, each in supervisor.processes().items()} == before
    assert sick(deployed) == []
    assert read(deployed) == ROW

    deployed.file.write_text(right)
    supervisor.remove("spark-worker-1")
    touched = {"trino", "spark-worker-1", "spark-connect"}  # Connect may use fewer cores
    assert deployed.planned() == {"bootstrap", "preflight", *touched, "spark-worker-2"}
    deployed.deploy()
    after = {name: each.pid for name, each in supervisor.processes().items()}
    assert {name for name in before if before[name] != after.get(name)} == {*touched, "spark-worker-2"}
    assert "-Xmx900m" in psutil.Process(after["trino"]).cmdline()
    assert "spark-worker-2" not in after
    assert list(processes.belonging(deployed.local.state, "spark-worker-2")) == []
    assert sick(deployed) == []
    assert read(deployed) == ROW
    assert deployed.trino("SELECT count(*) FROM lake.gold.daily") == [[0]]
    # Contents are made to match again though the file is as it was.
    deployed.trino("ALTER TABLE lake.gold.daily DROP COLUMN n")
    assert deployed.planned() == {"bootstrap"}
    deployed.deploy()
    assert deployed.trino("SELECT count(n) FROM lake.gold.daily") == [[0]]
    deployed.trino("DROP TABLE lake.gold.daily")
    deployed.trino("DROP SCHEMA lake.gold")
    # The deploys of the next test take the edits back.


def test_destroy_leaves_only_the_data_and_two_deploys_at_once_bring_it_up(
    deployed: Deployment, row: None, tmp_path: Path
) -> None:
    """The data is deleted too, and comes back from a backup: every row and snapshot, the branch and the tag.

    The supervisor was killed with some of its services: the plan and doctor show it, destroy ends what remains.

    Down, it refuses a taken port before anything starts. Deploys that were interrupted, and then killed, leave some
    services: two deploys at once end these and bring it up. The second one waits for the lock of the first, however
    close they are.
    """
    state = deployed.local.state
    backups, key = str(tmp_path / "backups"), tmp_path / "key"
    key.write_text("correct horse battery staple")
    histories = with_history(deployed)
    made = json.loads(deployed.lakehouse("backup", "create", backups, "--key-file", str(key), "--json"))
    deployed.trino("INSERT INTO lake.silver.bad_days VALUES 'after the backup'")
    deployed.trino("DELETE FROM lake.silver.bad_days WHERE word = 'after the backup'")
    killed(deployed, spared={"nessie", "spark-worker-1"})
    assert list(processes.belonging(state, "nessie"))
    found = doctor(deployed, code=1)
    assert errors(found) == {"stack"}
    assert "killed" in found["stack"]["cause"]
    assert "`lakehouse deploy`" in found["stack"]["fix"]
    assert set(SERVICES) < deployed.planned()
    numbers = [port.number for service in deployed.local.services for port in service.ports]
    deployed.destroy()
    assert list(processes.belonging(state)) == []
    assert [number for number in numbers if processes.is_open(number)] == []
    assert "does not run" in deployed.lakehouse("restart", "trino", code=1)
    assert (state.root / "data").is_dir()
    store_key = state.secret("store-secret-key")
    deployed.lakehouse("destroy", "--data", "--yes")
    assert not state.root.exists()
    assert "is whole" in deployed.lakehouse("backup", "verify", backups)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", deployed.port("trino")))
        stranger.listen()
        output = deployed.deploy(code=1)
    flat = " ".join(output.replace("│", " ").split())
    assert f"ort {deployed.port('trino')} (trino) is taken by" in flat
    assert f"(pid {os.getpid()}," in flat
    assert list(processes.belonging(state)) == []
    # At several moments: Terraform may keep a resource as created although its step had not begun.
    cdktf, lakehouse = (str(BIN / "cdktf"), "deploy", "local", "--auto-approve"), (str(BIN / "lakehouse"), "deploy")
    code, _ = interrupted(deployed, 0.5, *cdktf)
    assert code != 0
    code, said = interrupted(deployed, 3.5, *lakehouse)
    assert code == 130, said
    assert "Interrupted: Terraform has recorded what was done." in said
    assert "`lakehouse deploy` goes on from here." in said
    os.kill(int(state.pid_file.read_text()), signal.SIGKILL)
    orphans = list(processes.belonging(state))
    assert orphans
    both = [deployed.popen(*command) for command in (cdktf, lakehouse)]
    outputs = [each.communicate(timeout=300)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], outputs
    assert not any(each.is_running() for each in orphans)
    assert sick(deployed) == []
    assert deployed.trino("SHOW TABLES FROM lake.silver LIKE 'bad_days'") == []
    restored = json.loads(deployed.lakehouse("backup", "restore", backups, made["id"], "--json"))
    assert "lake.silver.bad_days" in restored["tables"]
    assert deployed.planned() == set()
    assert read(deployed) == ROW
    assert "here before" in spark(deployed, "SELECT word FROM lake.silver.bad_days")
    assert with_history(deployed) == histories
    assert json.loads(deployed.lakehouse("backup", "restore", backups, "--json")) == {**restored, "written": 0}
    branches = deployed.lakehouse("branch", "list")
    assert "drill-branch" in branches
    deployed.lakehouse("branch", "delete", "drill-branch", "--allow-destroy")
    deployed.lakehouse("tag", "delete", "drill-tag", "--allow-destroy")
    # On a new machine the secrets come back too.
    deployed.lakehouse("backup", "restore", backups, "--into", str(tmp_path / "new"), "--key-file", str(key))
    assert (tmp_path / "new/.lakehouse/local/secrets/store-secret-key").read_text() == store_key
    assert state.secret("store-secret-key") != store_key


def with_history(deployed: Deployment) -> list[list[list[str]]]:
    """The snapshots of the table of rows, and its rows on a branch and a tag, which are made if there are none."""
    if "drill-tag" not in deployed.lakehouse("tag", "list"):
        deployed.lakehouse("tag", "create", "drill-tag")
        deployed.trino("INSERT INTO lake.silver.bad_days VALUES 'after the tag'")
        deployed.lakehouse("branch", "create", "drill-branch")
        deployed.trino("DELETE FROM lake.silver.bad_days WHERE word = 'after the tag'")
    snapshots = deployed.trino('SELECT snapshot_id, operation FROM lake.silver."bad_days$snapshots" ORDER BY 1')
    rows = [
        [[each] for each in sorted(on_reference(deployed, name).scan().to_arrow().column("word").to_pylist())]
        for name in ("drill-tag", "drill-branch")
    ]
    return [snapshots, *rows]


def on_reference(deployed: Deployment, reference: str) -> Table:
    """The table of rows on a branch or tag."""
    _, connections = connect(deployed.file, "local")
    at = replace(connections, catalogs={"lake": replace(connections.catalogs["lake"], branch=reference)})
    return tables.load(catalogs.connect("lake", at), "silver.bad_days", at)


def killed(deployed: Deployment, *, spared: Collection[str]) -> None:
    """Kill the supervisor, then every service but those."""
    state = deployed.local.state
    os.kill(int(state.pid_file.read_text()), signal.SIGKILL)
    for service in set(SERVICES) - set(spared):
        for process in processes.belonging(state, service):
            process.kill()


def pids(deployed: Deployment) -> set[int]:
    return {each.pid for each in Supervisor(deployed.local.state).processes().values()} - {0}


def interrupted(deployed: Deployment, seconds: float, *command: str) -> tuple[int, str]:
    """Start a deploy and send Ctrl-C some seconds after it started its first service. Returns its code and output."""
    before = pids(deployed)
    under_way = deployed.popen(*command)
    until(lambda: bool(pids(deployed) - before))
    time.sleep(seconds)
    os.killpg(under_way.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    output, _ = under_way.communicate(timeout=120)
    assert "Traceback" not in output
    return under_way.returncode, output


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
    other.destroy()
    assert {name: each.pid for name, each in Supervisor(deployed.local.state).processes().items()} == before
    assert read(deployed) == ROW


def test_a_wrong_file_changes_nothing(deployed: Deployment, row: None) -> None:
    before = deployed.change("engines", "trino", "memory", to="much")
    try:
        output = deployed.deploy(code=2)
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
