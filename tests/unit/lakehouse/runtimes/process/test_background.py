from __future__ import annotations

import os
import subprocess
import sys
import time
import xmlrpc.client
from pathlib import Path

import psutil
import pytest

from lakehouse.runtimes import archiving
from lakehouse.runtimes.archiving import JobNote
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.process import archives, background
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service

OWNER = Owner("demo", "local", "1", "/a folder/lakehouse.yaml", "/state")
TRINO = Service(name="trino", image="i", packages=(), command=("/java",), probe=Probe("tcp", 1), java=25)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scripts of jobs that were started. An archive is missing, and nobody has turned the job off."""
    scripts: list[str] = []

    def start_job(_: Supervisor, script: str) -> bool:
        scripts.append(script)
        return True

    for name in ("CI", archiving.SWITCH):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(archives, "missing", lambda services: {Path("trino.aot"): tuple(services)})
    monkeypatch.setattr(Supervisor, "start_job", start_job)
    return scripts


def test_the_job_finds_the_same_packages_and_the_file(
    state: State, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/a cache")
    background.start(state, TRINO, OWNER)
    assert "export XDG_CACHE_HOME='/a cache'" in started[0]
    assert f"-m lakehouse.runtimes.preparing {state.root} '/a folder/lakehouse.yaml' local" in started[0]
    assert archiving.noted(state).text == "about to begin"


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), (archiving.SWITCH, "no")])
def test_a_pipeline_and_a_user_can_do_without_it(
    state: State, started: list[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    background.start(state, TRINO, OWNER)
    assert started == []


def test_the_ci_that_a_deploy_sets_for_cdktf_is_no_pipeline(
    state: State, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv(archiving.SWITCH, "yes")
    background.start(state, TRINO, OWNER)
    assert len(started) == 1


def test_it_is_not_started_for_a_service_that_has_its_archive(
    state: State, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "missing", lambda services: {})
    background.start(state, TRINO, OWNER)
    assert started == []


def test_a_job_that_runs_keeps_its_note(state: State, started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "runs_job", lambda _: True)
    archiving.note(state, JobNote("recording", 2))
    background.start(state, TRINO, OWNER)
    assert archiving.noted(state) == JobNote("recording", 2)
    assert started == []


@pytest.mark.usefixtures("started")
def test_a_job_that_begins_at_once_keeps_its_own_note(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "start_job", lambda *_: archiving.note(state, JobNote("recording", 1, folder="f")))
    background.start(state, TRINO, OWNER)
    assert archiving.noted(state).folder == "f", "otherwise nothing would remove the folder"


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("error", [xmlrpc.client.Fault(50, "SPAWN_ERROR"), OSError(28, "No space left on device")])
def test_a_service_that_is_ready_does_not_fail_without_the_job(
    state: State, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> bool:
        raise error

    monkeypatch.setattr(Supervisor, "start_job", fail)
    background.start(state, TRINO, OWNER)


def test_its_state_is_shown_while_it_runs(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    archiving.note(state, JobNote("recording"))
    assert background.doing(state) == ""
    monkeypatch.setattr(Supervisor, "alive", lambda _: True)
    assert background.doing(state) == "", "it has failed without a note, as on a full disk"
    monkeypatch.setattr(Supervisor, "runs_job", lambda _: True)
    assert background.doing(state) == "class archives, for faster starts: recording"
    archiving.note(state, JobNote())
    assert background.doing(state) == ""


def test_that_it_gave_up_is_shown_while_the_lakehouse_runs(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    archiving.note(state, JobNote("not made", failed=True))
    assert background.doing(state) == ""
    monkeypatch.setattr(Supervisor, "alive", lambda _: True)
    assert background.doing(state).endswith("not made")


def test_nothing_of_it_is_left_at_the_end(state: State, tmp_path: Path) -> None:
    folder = tmp_path / ".training-1"
    (folder / "records").mkdir(parents=True)
    command, mark = [sys.executable, "-c", "import time; time.sleep(60)"], "LAKEHOUSE_STATE"
    own = subprocess.Popen(command, env={mark: str(folder / "state"), "PATH": os.environ["PATH"]})
    other = subprocess.Popen(command, env={mark: str(tmp_path / ".training-10"), "PATH": os.environ["PATH"]})
    try:
        while any(mark not in psutil.Process(each.pid).environ() for each in (own, other)):
            time.sleep(0.01)
        archiving.note(state, JobNote("recording", 1, folder=str(folder)))
        background.end(state)
        assert own.poll() is not None
        assert other.poll() is None, "another lakehouse's"
        assert not folder.exists()
        background.end(state)
    finally:
        for each in (own, other):
            each.kill()
            each.wait()


@pytest.mark.parametrize("text", ["", "{", '{"strange": 1}', "[]"])
def test_a_note_that_cannot_be_read_is_no_note(state: State, text: str) -> None:
    archiving.note(state, JobNote("recording"))
    (state.run / "class-archives.json").write_text(text)
    assert archiving.noted(state) == JobNote()
