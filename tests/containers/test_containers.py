"""The default lakehouse in containers: it comes up, it is complete, and it shows no secret."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.containers import Container, Naming, containers
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.docker.steps import run_job, write
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret
from tests.containers.conftest import exposed, runtime, sick
from tests.integration.deployment import ROW, Deployment, a_row, read, until_well

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


def test_all_is_healthy_and_a_second_deploy_changes_nothing(contained: Deployment) -> None:
    assert sick(contained) == []
    assert contained.planned() == set()
    assert "No changes." in contained.deploy()


def test_host_and_containers_see_the_same_tables(contained: Deployment) -> None:
    """Each by its own endpoint: the published port here, the service's name there."""
    contained.trino("CREATE TABLE IF NOT EXISTS lake.silver.seen_from (word varchar)")
    endpoints = json.loads(contained.lakehouse("endpoints", "--json"))
    api = next(each for each in endpoints if each["name"] == "Nessie API (lake)")
    assert api["external"].startswith("http://127.0.0.1:")
    assert api["internal"].startswith("http://nessie:19120/")
    path = "/trees/main/contents/silver.seen_from"
    here = subprocess.run(
        ["curl", "-fs", "--noproxy", "*", api["external"] + path], capture_output=True, text=True, check=True
    )
    answer = (
        runtime(contained)
        .engine.client.containers.get(f"{name(contained)}-trino")
        .exec_run(["curl", "-fs", api["internal"] + path])
    )
    assert answer.exit_code == 0
    assert isinstance(answer.output, bytes)
    there = json.loads(answer.output)
    assert there["content"]["id"] == json.loads(here.stdout)["content"]["id"]
    contained.trino("DROP TABLE lake.silver.seen_from")


def test_ports_are_published_only_on_the_loopback_address(contained: Deployment, engine: DockerEngine) -> None:
    for each in engine.seen(contained.local.state).values():
        ports = engine.client.containers.get(each.name).attrs["NetworkSettings"]["Ports"]
        hosts = {binding["HostIp"] for bindings in ports.values() for binding in bindings or ()}
        assert hosts <= {"127.0.0.1"}, each.name


def test_secrets_are_only_in_mounted_files(contained: Deployment, engine: DockerEngine) -> None:
    assert contained.local.state.root.stat().st_mode & 0o777 == 0o700
    assert exposed(contained, engine) == []


def test_containers_are_bounded(contained: Deployment, engine: DockerEngine) -> None:
    for each in engine.seen(contained.local.state).values():
        host = engine.client.containers.get(each.name).attrs["HostConfig"]
        assert host["Memory"] == host["MemorySwap"] > 0
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert not host["Privileged"]


def test_status_logs_and_restart(contained: Deployment) -> None:
    status = json.loads(contained.lakehouse("status", "--json"))
    assert status["healthy"]
    assert all(each["pid"] and each["memory_mb"] for each in status["services"])
    assert "Started daemon" in contained.lakehouse("logs", "spark-master", "-n", "100000")
    assert "nessie is ready after" in contained.lakehouse("restart", "nessie")
    with a_row(contained):
        restart = ["docker", "restart", f"{name(contained)}-s3proxy"]
        subprocess.run(restart, capture_output=True, check=True, timeout=120)
        until_well(contained, sick)
        assert read(contained) == ROW
    assert contained.planned() == set(), "a restart by hand is no drift"


def test_trinos_own_command_line_answers_in_its_container(contained: Deployment) -> None:
    done = subprocess.run(
        ["docker", "exec", f"{name(contained)}-trino", "trino", "--execute", "SHOW SCHEMAS FROM lake"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert '"silver"' in done.stdout


def name(deployment: Deployment) -> str:
    return runtime(deployment).containers[0].network


def test_a_job_runs_in_a_container_of_its_own_once(contained: Deployment, engine: DockerEngine) -> None:
    """No kind has a job yet, so a small one stands for them: it uses the network, a file and a secret of the stack."""
    state = contained.local.state
    image = contained.local.everything[0].image
    naming = Naming(name(contained), f"{name(contained)}-", f"{name(contained)}-")

    def job(script: str, patience: int = 60) -> Container:
        files = (File("word", ("word=", Secret("job-word"))),)
        service = Service("job", image, (), ("sh", "-c", script), Probe("end", patience=patience), files=files)
        write(state, "job", files)
        return containers([service], naming, state, DockerPlace({}, contained.folder))[0]

    try:
        good = job("cat /etc/job/word && getent hosts nessie")
        run_job(state, engine, good, Incarnation("d", "1"))
        assert f"word={state.secret('job-word')}" in state.log("job").read_text()
        assert run_job(state, engine, good, Incarnation("d", "1")) == 0.0
        with pytest.raises(LakehouseError, match=r"(?s)The job job ended with code 3.*the reason"):
            run_job(state, engine, job("echo the reason; exit 3"), Incarnation("d", "2"))
        with pytest.raises(LakehouseError, match="did not end within 1 s"):
            run_job(state, engine, job("sleep 60", patience=1), Incarnation("d", "3"))
        assert engine.look(good.name) is None, "nothing is left of it"
    finally:
        engine.client.volumes.get(good.volume.source).remove()
        shutil.rmtree(state.config("job"))
        state.forget("job-word")
