from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.doctor import services
from bootstrap.doctor.services import ServiceSeen
from lakehouse.runtimes.findings import PortHolder
from lakehouse.runtimes.runtime import Process

TAKEN = PortHolder("trino", 8085, "port 8085 (trino) is taken by python3 (pid 42, user me)", 42, "python3")


def process(state: str, *, uptime: int = 500, note: str = "") -> Process:
    return Process("trino", state, 7 if state == "RUNNING" else 0, uptime, note)


def test_no_port_is_taken() -> None:
    assert services.ports([], 12, "local").found == "12 ports, none taken by others"


@pytest.mark.parametrize(
    ("holder", "cause", "fix"),
    [
        (TAKEN, "outside this lakehouse", "`kill 42`"),
        (replace(TAKEN, pid=None), "outside this lakehouse", "stop that program"),
        (
            replace(TAKEN, lakehouse="/other/.lakehouse/local"),
            "the lakehouse in /other/.lakehouse/local",
            "destroy that",
        ),
        (replace(TAKEN, container="web"), "container web publishes it", "`docker stop web`"),
        (replace(TAKEN, container="web", lakehouse="/other"), "of the lakehouse in /other", "`docker stop web`"),
    ],
)
def test_a_taken_port_is_named_with_its_holder(holder: PortHolder, cause: str, fix: str) -> None:
    found = services.ports([holder], 12, "local")
    assert (found.severity, found.found) == ("error", TAKEN.sentence)
    assert cause in found.cause
    assert fix in found.fix
    assert "`stacks.local.ports`" in found.fix


def test_many_taken_ports_are_counted() -> None:
    found = services.ports([TAKEN] * 5, 12, "local")
    assert found.found.count("port 8085") == 3
    assert found.found.endswith("; and 2 more")


@pytest.mark.parametrize(
    ("states", "left", "severity", "found"),
    [
        ({"nessie": "RUNNING", "trino": "EXITED"}, True, "ok", "1 of 2 services run"),
        ({"nessie": "EXITED", "trino": "EXITED"}, True, "error", "none of its services runs any more"),
        (
            {"nessie": "UNWATCHED"},
            True,
            "error",
            "its services run, but nothing watches them: one that ends is not started again",
        ),
        ({}, True, "error", "none of its services runs any more"),
        ({}, False, "error", "is not up"),
        ({"dropped": "RUNNING"}, False, "error", "is not up"),
    ],
)
def test_whether_the_stack_runs(states: dict[str, str], left: bool, severity: str, found: str) -> None:
    seen = services.running(
        {name: process(state) for name, state in states.items()}, ["nessie", "trino"], left, "local"
    )
    assert (seen.severity, seen.found) == (severity, found)
    assert ("`lakehouse deploy`" in seen.fix) == (severity == "error")


@pytest.mark.parametrize(
    ("seen", "taken", "severity", "word", "cause"),
    [
        (ServiceSeen("trino", True, process("RUNNING"), 300), (), "ok", "ready", ""),
        (ServiceSeen("trino", True, process("RUNNING"), 300), ("trino",), "ok", "ready", ""),
        (ServiceSeen("trino", False, None, 300), (), "error", "stopped", "no process"),
        (ServiceSeen("trino", False, None, 300), ("trino-ui",), "skipped", "`ports`", "ports"),
        (ServiceSeen("trino", False, None, 300), ("trinos",), "error", "stopped", "no process"),
        (
            ServiceSeen("trino", False, process("RUNNING", uptime=9), 300),
            (),
            "error",
            "starting for 9 s",
            "not ready yet",
        ),
        (
            ServiceSeen("trino", False, process("RUNNING", uptime=65), 300, former=True),
            (),
            "error",
            "not ready as the file defines it",
            "it runs as an earlier file defined it",
        ),
        (
            ServiceSeen("trino", False, process("EXITED"), 300, ["x"], former=True),
            (),
            "error",
            "is exited",
            "the end of",
        ),
        (
            ServiceSeen("trino", False, process("RUNNING", uptime=9), 300, ["NoSuchBucket"]),
            (),
            "error",
            "is running",
            "a bucket is missing. Its log: NoSuchBucket",
        ),
        (
            ServiceSeen("trino", False, process("RUNNING"), 300, ["last words"]),
            (),
            "error",
            "not ready",
            "log: last words",
        ),
        (
            ServiceSeen("trino", False, process("FATAL", note="too quick"), 300),
            (),
            "error",
            "is fatal (too quick)",
            "log is empty",
        ),
        (ServiceSeen("trino", False, process("EXITED"), 300, ["x"], True), (), "error", "is exited", "more memory"),
    ],
)
def test_a_service(seen: ServiceSeen, taken: tuple[str, ...], severity: str, word: str, cause: str) -> None:
    found = services.service(seen, taken, "local")
    assert found.severity == severity
    assert word in found.found
    assert cause in found.cause
    assert bool(found.fix) == (severity == "error")


def test_running_services_are_compared_with_the_file() -> None:
    assert services.definitions([], [], [], "local").severity == "ok"
    found = services.definitions(["trino"], ["nessie"], ["old"], "local")
    assert found.severity == "warning"
    assert all(word in found.found for word in ("trino run as", "nessie changed by hand", "old run, but are not"))
    assert "`lakehouse diff`" in found.fix
