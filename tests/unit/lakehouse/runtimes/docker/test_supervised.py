"""The supervisor of what runs outside of containers, beside the job that makes class archives."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.docker import supervised
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.processes import belonging
from lakehouse.runtimes.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State((tmp_path / "a state").resolve())
    made.prepare()
    return made


@pytest.fixture
def running(state: State) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The job, and a process that a killed supervisor left behind."""
    mark = {**os.environ, "LAKEHOUSE_STATE": str(state.root)}
    some = {
        name: subprocess.Popen(["sleep", "60"], env={**mark, "LAKEHOUSE_SERVICE": name}) for name in (JOB, "vmalert")
    }
    yield some
    for each in some.values():
        each.kill()
        each.wait()


def test_a_start_ends_what_was_left_and_not_the_job(
    state: State, running: dict[str, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[bool] = []
    monkeypatch.setattr(Supervisor, "start", lambda self, *, watched: started.append(watched))
    assert [each.pid for each in supervised.left(state)] == [running["vmalert"].pid]
    supervised.up(state, "1")
    assert supervised.left(state) == []
    assert running[JOB].poll() is None
    assert started == [False], "on Docker nothing watches the disk"


def test_an_end_ends_the_job_too(state: State, running: dict[str, subprocess.Popen[bytes]]) -> None:
    supervised.down(state)
    assert list(belonging(state)) == []
    assert not state.run.exists()
