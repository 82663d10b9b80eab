from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lakehouse.runtimes import archiving, processes
from lakehouse.runtimes.archiving import JobNote
from lakehouse.runtimes.docker import archives, background
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.state import State

OWNER = Owner("demo", "local", "1", "/a folder/lakehouse.yaml", "/state")
SLEEP = (sys.executable, "-c", "import os, time; print(*sorted(os.environ), flush=True); time.sleep(60)")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """A state folder, for a stack that lacks an archive. The job is a process that sleeps."""
    for name in ("CI", archiving.SWITCH):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(archives, "missing", lambda services, images: {Path("trino"): ()})
    monkeypatch.setattr(archiving, "command", lambda *_: SLEEP)
    found = State(tmp_path / "state")
    found.prepare()
    return found


def until(there: Callable[[], bool]) -> None:
    for _ in range(200):
        if there():
            return
        time.sleep(0.05)
    pytest.fail("not within 10 s")


def jobs(state: State) -> list[psutil.Process]:
    return list(processes.belonging(state, archiving.JOB))


def test_the_job_outlives_the_step_that_starts_it_and_a_destroy_ends_it(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, cleared = tmp_path / "scratch", list[Path]()
    monkeypatch.setattr(DockerEngine, "remove_below", lambda _, folder: cleared.append(folder))
    background.start(state, (), {}, OWNER)
    try:
        until(lambda: len(jobs(state)) == 1)
        assert os.getsid(jobs(state)[0].pid) != os.getsid(0), "Ctrl-C does not reach it"
        assert background.doing(state) == "class archives, for faster starts: about to begin"
        folder.mkdir()
        archiving.note(state, JobNote("recording", 1, folder=str(folder)))
        background.start(state, (), {}, OWNER)
        assert len(jobs(state)) == 1, "it runs already"
        assert archiving.noted(state).text == "recording"
    finally:
        background.stop(state)
    assert jobs(state) == []
    assert cleared == [folder]
    assert not folder.exists()
    assert background.doing(state) == ""


@pytest.mark.parametrize("why", ["CI", "switch", "nothing is missing"])
def test_it_is_not_started_where_nobody_wants_it(state: State, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    match why:
        case "CI":
            monkeypatch.setenv("CI", "true")
        case "switch":
            monkeypatch.setenv(archiving.SWITCH, "no")
        case _:
            monkeypatch.setattr(archives, "missing", lambda services, images: {})
    background.start(state, (), {}, OWNER)
    assert jobs(state) == []


def test_why_it_gave_up_is_said_after_its_end(state: State) -> None:
    archiving.note(state, JobNote("not made", failed=True))
    assert background.doing(state).endswith("not made")


def test_a_job_that_cannot_be_started_fails_no_deploy(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no memory")

    monkeypatch.setattr(subprocess, "run", fail)
    background.start(state, (), {}, OWNER)
    assert background.doing(state) == ""
