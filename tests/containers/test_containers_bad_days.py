"""Bad days in containers: what died, was edited or removed shows in the plan and is repaired, and no row is lost.

Each test leaves the lakehouse up and whole for the next one.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, remains, runtime, sick, up
from tests.integration.deployment import BIN, ROW, Changes, Deployment, a_row, kept, read, until, until_well

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SMALL: Changes = {**DOCKER, ("engines",): {}}  # a store and a catalog


@pytest.fixture(scope="module")
def row(contained: Deployment) -> Iterator[None]:
    with a_row(contained):
        yield


@pytest.fixture(autouse=True)
def same_file(contained: Deployment) -> Iterator[None]:
    """A bad day that fails must not spoil the next one's file."""
    with kept(contained.file):
        yield


def docker(*words: str, code: int = 0) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def called(deployment: Deployment, service: str) -> str:
    """The name of a service's container."""
    return next(each.name for each in runtime(deployment).containers if each.service == service)


def ids(deployment: Deployment) -> dict[str, int]:
    return {name: each.pid for name, each in runtime(deployment).processes().items()}


@pytest.mark.parametrize(
    "services",
    [
        ("nessie", "spark-master", "spark-worker-1", "s3proxy"),
        pytest.param(("trino", "spark-connect"), marks=pytest.mark.matrix),
    ],
    ids="/".join,
)
def test_killed_processes_are_restarted(contained: Deployment, row: None, services: tuple[str, ...]) -> None:
    for service in services:
        killed = ids(contained)[service]
        os.kill(killed, signal.SIGKILL)
        until(lambda name=service, old=killed: ids(contained)[name] not in (0, old))  # type: ignore[misc]
    until_well(contained, sick)
    assert read(contained) == ROW
    query = "SELECT word FROM lake.silver.bad_days"
    assert "here before" in contained.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", query)


def test_what_was_killed_removed_or_edited_by_hand_shows_in_diff_and_is_repaired(
    contained: Deployment, row: None
) -> None:
    before = ids(contained)
    docker("kill", called(contained, "nessie"))
    docker("rm", "-f", called(contained, "spark-worker-2"))
    docker("update", "--memory", "700m", "--memory-swap", "700m", called(contained, "s3proxy"))
    docker("update", "--restart", "no", called(contained, "spark-worker-1"))
    wrong = {"nessie", "spark-worker-2", "s3proxy", "spark-worker-1"}
    assert contained.planned() >= {"preflight", *wrong}
    contained.deploy()
    assert contained.planned() == set()
    assert sick(contained) == []
    after = ids(contained)
    assert {name for name in before if before[name] != after[name]} == wrong
    for service in ("s3proxy", "spark-worker-1"):
        host = runtime(contained).engine.client.containers.get(called(contained, service)).attrs["HostConfig"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["Memory"] != 700 << 20
    assert read(contained) == ROW


def test_an_edited_file_replaces_what_it_touches_after_deploys_that_were_refused(
    contained: Deployment, row: None
) -> None:
    """A preflight that fails has stopped nothing. Each cause is named with its fix, before anything starts.

    Trino's container, volume and image are removed, and its port is taken. The volume holds nothing that is not
    written again; the store's would be the data itself.
    """
    before, numbers = ids(contained), dict(contained.local.ports)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        contained.change("stacks", "local", "ports", to={**numbers, "nessie": listener.getsockname()[1]})
        file = contained.change("engines", "trino", "memory", to="900m")
        output = contained.deploy(code=1)
    assert "(nessie) is taken by" in " ".join(output.replace("│", " ").split())
    assert ids(contained) == before
    contained.edit(file, {("stacks", "local", "ports"): numbers, ("engines", "trino", "memory"): "900m"})
    assert {"preflight", "trino"} <= contained.planned()

    name = called(contained, "trino")
    reference = next(each.image for each in runtime(contained).containers if each.service == "trino")
    docker("tag", reference, "lakehouse-test/kept:1")
    docker("rm", "-f", name)
    docker("volume", "rm", name)
    docker("rmi", reference)
    try:
        output = contained.deploy(code=1)
    finally:
        docker("tag", "lakehouse-test/kept:1", reference)
        docker("rmi", "lakehouse-test/kept:1")
    assert f"Image {reference} is missing here" in "".join(output.split("\n")).replace("│ ", "")
    assert "make images" in output
    with psutil.Popen(
        ["python3", "-m", "http.server", str(contained.port("trino")), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as stranger:  # fmt: skip
        try:
            until(lambda: bool(stranger.net_connections("tcp")), 60)
            output = contained.deploy(code=1)
        finally:
            stranger.kill()
    assert f"pid {stranger.pid}" in output

    contained.deploy()
    after = ids(contained)
    assert {name for name in before if before[name] != after[name]} == {"trino"}
    assert "-Xmx900m" in psutil.Process(after["trino"]).cmdline()
    assert sick(contained) == []
    assert contained.planned() == set()
    assert read(contained) == ROW
    # The file is restored after this test; a later deploy, of another test, makes Trino as it was.


def test_two_lakehouses_stand_side_by_side(
    contained: Deployment, row: None, engine: DockerEngine, tmp_path: Path
) -> None:
    other = Deployment.make(tmp_path / "other", {("name",): f"it-other-{os.getpid()}", **SMALL})
    for deployment in up(other, engine):
        assert sick(deployment) == []
        assert sick(contained) == []
        assert read(contained) == ROW
        assert "No changes" in deployment.lakehouse("plan")


def test_two_lakehouses_of_one_name_do_not_touch_each_other(contained: Deployment, row: None, tmp_path: Path) -> None:
    name = runtime(contained).containers[0].network.removesuffix("-local")
    other = Deployment.make(tmp_path / "other", {("name",): name, **SMALL})
    output = " ".join(other.deploy(code=1).replace("│", " ").split())
    assert f"belongs to the lakehouse in {contained.local.state.root}" in output
    assert "another `name`" in output
    assert sick(contained) == []


def test_destroy_leaves_the_data_and_nothing_else(contained: Deployment, row: None, engine: DockerEngine) -> None:
    """Down, it comes up from an interrupted deploy, rows and all."""
    contained.destroy()
    state = contained.local.state
    assert sorted(remains(contained, engine)) == sorted(engine.volumes(state))
    assert len(engine.volumes(state)) == len(runtime(contained).containers)
    under_way = contained.popen(str(BIN / "cdktf"), "deploy", "local", "--auto-approve")
    until(lambda: bool(runtime(contained).processes()))
    time.sleep(1)
    os.killpg(under_way.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    output, _ = under_way.communicate(timeout=120)
    assert under_way.returncode != 0
    assert "Traceback" not in output
    contained.deploy()
    assert sick(contained) == []
    assert read(contained) == ROW


def test_a_restarted_docker_brings_it_all_back(contained: Deployment, row: None, engine: DockerEngine) -> None:
    daemon = next((each for each in psutil.process_iter(["name"]) if each.info["name"] == "dockerd"), None)
    if daemon is None or daemon.uids().real != os.getuid():
        pytest.skip("Docker's daemon is not this user's to restart")
    command, folder = daemon.cmdline(), daemon.cwd()
    folder = folder if Path(folder).is_dir() else "/"  # somebody may have removed it
    managed = Path("/run/systemd/system").is_dir()
    daemon.terminate()
    assert psutil.wait_procs([daemon], timeout=180)[1] == []
    if not managed:
        log = contained.folder / "dockerd.log"
        # By a shell that ends at once: it is to outlive the test, and nobody's child.
        script = 'setsid "$@" >>"$0" 2>&1 </dev/null &'
        subprocess.run(["sh", "-c", script, str(log), *command], cwd=folder, check=True)
    until(lambda: subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0, 180)
    until_well(contained, sick)
    assert read(contained) == ROW
    query = "SELECT word FROM lake.silver.bad_days"
    assert "here before" in contained.lakehouse("sql", "--engine", "spark", "--format", "csv", "-e", query)
    assert contained.planned() == set()
