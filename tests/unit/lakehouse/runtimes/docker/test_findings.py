from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.runtimes.docker import findings as docker
from lakehouse.runtimes.docker.findings import Daemon

WELL = Daemon("unix:///var/run/docker.sock", named=False)


@pytest.mark.parametrize(
    ("daemon", "cause", "fix"),
    [
        (replace(WELL, failure="permission denied"), "may not use the socket", "usermod -aG docker"),
        (replace(WELL, failure="x", installed=False, socket=False), "not installed", "install Docker 20.10"),
        (replace(WELL, failure="x", socket=False), "does not run", "systemctl start docker"),
        (replace(WELL, failure="connection refused"), "Docker does not answer on it", "systemctl restart docker"),
        (replace(WELL, failure="x", socket=False, context="colima"), "the context colima", "export DOCKER_HOST="),
        (Daemon("tcp://10.0.0.9:2375", named=True, failure="timed out"), "DOCKER_HOST names", "`unset DOCKER_HOST`"),
    ],
)
def test_a_docker_that_does_not_answer(daemon: Daemon, cause: str, fix: str) -> None:
    found = docker.answers(daemon)
    assert found.severity == "error"
    assert daemon.host in found.found
    assert cause in found.cause
    assert fix in found.fix


def test_a_docker_that_answers() -> None:
    assert docker.answers(WELL).severity == "ok"


@pytest.mark.parametrize(
    ("version", "severity"),
    [
        ("19.03.15", "error"),
        ("20.09.9", "error"),
        ("20.10.0", "ok"),
        ("20.10.24+dfsg1", "ok"),
        ("28.2.2", "ok"),
        ("1.13.1", "error"),
    ],
)
def test_old_docker(version: str, severity: str) -> None:
    found = docker.version(version)
    assert found.severity == severity
    assert version in found.found
    assert ("20.10" in found.cause) == (severity == "error")


def test_docker_s_own_memory() -> None:
    assert docker.memory(8000, {"trino": 1400}, "local").severity == "ok"
    found = docker.memory(2000, {"trino": 1400, "spark": 2600}, "local")
    assert found.severity == "error"
    assert "2000" in found.found
    assert "4000" in found.found


def test_the_provider() -> None:
    assert docker.provider(there=True, failure="").severity == "ok"
    assert docker.provider(there=False, failure="").severity == "ok"
    found = docker.provider(there=False, failure="could not connect")
    assert (found.severity, found.fix) == ("error", "`make providers`")


@pytest.mark.parametrize(
    ("missing", "severity", "named", "fix"),
    [
        ({}, "ok", "4 images here", ""),
        ({"trino:476": True}, "warning", "trino:476", "`lakehouse --stack local deploy` pulls"),
        ({"trino:476": True, "nessie:1": False}, "error", "nessie:1", "`make images`"),
    ],
)
def test_images(missing: dict[str, bool], severity: str, named: str, fix: str) -> None:
    found = docker.images(missing, 4, "local")
    assert found.severity == severity
    assert named in found.found
    assert fix in found.fix


@pytest.mark.parametrize(
    ("unresolved", "detached", "severity", "word"),
    [
        ({"demo-trino": [], "demo-nessie": []}, [], "ok", "by name"),
        ({"demo-trino": ["nessie"], "demo-nessie": []}, [], "error", "demo-trino does not resolve nessie"),
        ({}, ["demo-nessie"], "error", "demo-nessie not in the network demo"),
    ],
)
def test_names(unresolved: dict[str, list[str]], detached: list[str], severity: str, word: str) -> None:
    found = docker.names(unresolved, detached, "demo", "local")
    assert found.severity == severity
    assert word in found.found


def test_what_is_advised_names_the_stack_because_another_one_may_be_the_default() -> None:
    for found in (
        docker.memory(1, {"trino": 2}, "staging"),
        docker.images({"trino:476": True}, 1, "staging"),
        docker.names({}, ["demo-nessie"], "demo", "staging"),
        docker.names({"demo-trino": ["nessie"]}, [], "demo", "staging"),
    ):
        advised = [each for each in found.fix.split("`")[1::2] if each.startswith("lakehouse")]
        assert advised
        assert all(each.startswith("lakehouse --stack staging ") for each in advised)


def test_containers_that_a_firewall_cuts_off_from_this_machine() -> None:
    assert docker.calls([], 5055).severity == "ok"
    found = docker.calls(["trino"], 5055)
    assert found.severity == "error"
    assert "trino cannot open host.docker.internal:5055" in found.found
    assert "5055" in found.fix
