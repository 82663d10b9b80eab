"""One-shot jobs as processes."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import processes
from lakehouse.runtimes.incarnation import NONE, Incarnation, recorded
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.process.incarnation import look
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret


def job(script: str, patience: int = 20) -> Service:
    return Service(
        "schema",
        "image",
        (),
        ("/bin/sh", "-c", script),
        Probe("end", patience=patience),
        environment=(("WORD", "it's"),),
        files=(File("password", Secret("password")),),
    )


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "a state")
    state.prepare()
    return state


def test_it_is_run_once_for_each_definition(state: State) -> None:
    made = job('cat password > "$LAKEHOUSE_STATE/out"; echo "$WORD" >> "$LAKEHOUSE_STATE/out"')
    first = look([made], state)["schema"]
    steps.service_up(state, made, first)
    assert (state.root / "out").read_text() == f"{state.secret('password')}it's\n"
    assert look([made], state)["schema"] == first, "nothing to do"

    (state.root / "out").unlink()
    assert steps.service_up(state, made, first) == 0.0, "Terraform may ask again, as after a destroy"
    assert not (state.root / "out").exists()

    changed = job("echo changed")
    steps.service_up(state, changed, look([changed], state)["schema"])
    assert state.log("schema").read_text() == "changed\n"
    assert look([made], state)["schema"] != first
    assert state.log("schema").stat().st_mode & 0o077 == 0


def test_one_that_fails_fails_the_deploy_with_the_end_of_its_log(state: State) -> None:
    with pytest.raises(LakehouseError, match=r"(?s)The job schema ended with code 3, .*the reason"):
        steps.service_up(state, job("echo the reason; exit 3"), Incarnation("d", "1"))
    assert recorded(state, "schema") == NONE


def test_one_that_does_not_end_is_stopped_with_all_that_it_started(state: State) -> None:
    began = time.monotonic()
    with pytest.raises(LakehouseError, match=r"(?s)did not end within 1 s and was stopped.*so far"):
        steps.service_up(state, job("echo so far; sleep 60 & sleep 60", patience=1), Incarnation("d", "1"))
    assert time.monotonic() - began < 50, "before it would have ended by itself"
    assert list(processes.belonging(state)) == []


def test_what_a_killed_run_has_left_is_ended_first(state: State) -> None:
    marks = {"LAKEHOUSE_STATE": str(state.root), "LAKEHOUSE_SERVICE": "schema"}
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=marks) as left:
        while not list(processes.belonging(state, "schema")):
            time.sleep(0.05)
        steps.service_up(state, job("exit 0"), Incarnation("d", "1"))
        left.wait(timeout=5)
    assert list(processes.belonging(state)) == []


def test_it_sees_no_credentials_of_the_shell(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    steps.service_up(state, job('test -z "$AWS_SECRET_ACCESS_KEY"'), Incarnation("d", "1"))


def test_a_file_that_others_change_later_is_written_once(state: State) -> None:
    made = replace(job("cat users"), files=(File("users", "first", once=True), File("password", Secret("password"))))
    steps.service_up(state, made, Incarnation.new("a"))
    users = state.config("schema") / "users"
    assert users.read_text() == "first"
    users.write_text("later")
    steps.service_up(state, made, Incarnation.new("b"))
    assert users.read_text() == "later"
    users.unlink()
    steps.service_up(state, made, Incarnation.new("c"))
    assert users.read_text() == "first"
    steps.service_up(state, replace(made, files=made.files[1:], command=("/bin/true",)), Incarnation.new("d"))
    assert not users.exists(), "the definition no longer has it"
