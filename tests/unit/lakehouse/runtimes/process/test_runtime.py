"""The process runtime as a person asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.runtimes import archiving
from lakehouse.runtimes.archiving import JobNote
from lakehouse.runtimes.generations import NOTHING, Planned
from lakehouse.runtimes.incarnation import record
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process.incarnation import look
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.runtime import UNWATCHED, Process
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret


def test_memory_is_that_of_all_processes_with_the_services_mark(tmp_path: Path) -> None:
    state = State(tmp_path)
    environment = {**os.environ, "LAKEHOUSE_STATE": str(tmp_path), "LAKEHOUSE_SERVICE": "spark-worker-1"}
    # A worker that starts an executor, as far as the operating system sees it.
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    worker = subprocess.Popen(
        [sys.executable, "-c", child], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "1\n"
        alone = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        assert Processes(state, ()).memory()["spark-worker-1"] > alone * 1.2
        assert set(Processes(State(tmp_path / "other"), ()).memory()) == set()
    finally:
        worker.communicate("\n")


def test_services_whose_supervisor_was_killed_are_not_down(tmp_path: Path) -> None:
    environment = {**os.environ, "LAKEHOUSE_STATE": str(tmp_path), "LAKEHOUSE_SERVICE": "trino"}
    command = [sys.executable, "-c", "print(1, flush=True); input()"]
    services = tuple(Service(name, "image", (), ("run",), Probe("tcp", 1)) for name in ("nessie", "trino"))
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        found = Processes(State(tmp_path), services).processes()
        orphan.communicate("\n")
    assert {name: (each.state, each.up) for name, each in found.items()} == {"trino": (UNWATCHED, False)}
    assert Processes(State(tmp_path), services).processes() == {}


def test_archives_that_another_lakehouse_has_made_since_are_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path)
    archiving.note(state, JobNote("not made", failed=True))
    lacking: dict[Path, tuple[Service, ...]] = {Path("trino.aot"): ()}
    monkeypatch.setattr(archives, "missing", lambda services: lacking)
    assert Processes(state, ())._archives().severity == "warning"
    lacking.clear()
    assert Processes(state, ())._archives().severity == "ok"


def test_what_runs_as_another_definition_or_with_other_credentials_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path)
    some = [
        Service(name, "image", (), ("run",), Probe("tcp", 1), files=(File("x", Secret(f"{name}-key")),))
        for name in ("same", "edited", "rotated", "down")
    ]
    up = {each.name: Process(each.name, "RUNNING", 1, 1, "") for each in some if each.name != "down"}
    monkeypatch.setattr(Processes, "processes", lambda self: up)
    for name, each in look(some, state).items():
        record(state, name, each)
    now = Processes(state, (some[0], replace(some[1], memory_mb=7), *some[2:]))
    assert now.changed(NOTHING) == ["edited"]
    assert now.changed(Planned({"rotated-key": 1, "down-key": 1})) == ["edited", "rotated"]
