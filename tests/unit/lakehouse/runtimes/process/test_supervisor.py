"""supervisord's configuration as text, and what is found before supervisord runs."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from xmlrpc.client import Fault

import pytest
from hypothesis import given, settings
from supervisor import xmlrpc
from supervisor.datatypes import list_of_exitcodes
from supervisor.options import UnhosedConfigParser

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import temporary
from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.process.supervisor import Faults, Supervisor, program, script
from lakehouse.runtimes.state import State
from lakehouse.services.service import Port, Probe, Service
from tests.unit.lakehouse.text.strategies import lines


def server(port: int, name: str = "web") -> Service:
    return Service(
        name=name,
        image="image",
        packages=(),
        command=(sys.executable, "-c", "pass", str(port)),
        probe=Probe("http", port, patience=20),
        ports=(Port(name, port),),
    )


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "a state; 100%")


@settings(max_examples=50, deadline=None)
@given(lines, lines, lines)
def test_nothing_of_a_path_or_a_command_is_more_than_that(folder: str, word: str, value: str) -> None:
    """supervisord's file does not depend on them, and a shell reads the script correctly."""
    state = State(Path("/tmp/none") / folder.replace("/", "|").lstrip("."))
    service = replace(server(1), command=("/bin/printf", "%s|", word), environment=(("A", value),))
    assert program(service) == program(server(1))
    with tempfile.TemporaryDirectory() as there:
        text = script(replace(service, directory=there), state)
        done = subprocess.run(
            ["/bin/sh", "-c", f'{text.rstrip()} "$A" "$LAKEHOUSE_STATE"'], capture_output=True, check=True
        )
    assert done.stdout.decode() == f"{word}|{value}|{state.root}|"


def test_what_a_service_forgets_is_removed_before_it_starts(state: State) -> None:
    service = replace(server(1), command=("/bin/ls", str(state.root)), forgets=(f"{state.root}/left_*",))
    state.root.mkdir(parents=True, exist_ok=True)
    (state.root / "left_behind").touch()
    (state.root / "right").touch()
    done = subprocess.run(
        ["/bin/sh", "-c", script(replace(service, directory=str(state.root)), state)], capture_output=True, check=True
    )
    assert "right" in done.stdout.decode()
    assert "left_behind" not in done.stdout.decode()


def test_supervisord_reads_what_is_written() -> None:
    parser = UnhosedConfigParser()
    parser.read_string(program(server(1)))
    assert parser.sections() == ["program:web"]
    assert parser.get("program:web", "command") == "/bin/sh conf.d/web.sh"


@pytest.mark.parametrize(("code", "again"), [(0, False), (1, False), (127, False), (-1, True)])
def test_a_job_is_started_again_only_if_it_was_killed(
    state: State, monkeypatch: pytest.MonkeyPatch, code: int, again: bool
) -> None:
    """Of a killed process supervisord knows no code: it is -1. A failed one would fail every second, for ever."""
    monkeypatch.setattr(Supervisor, "_call", lambda *_: {"statename": "EXITED"})
    assert Supervisor(state).start_job("exec python")
    parser = UnhosedConfigParser()
    parser.read_string((state.conf_d / f"{JOB}.conf").read_text())
    section = f"program:{JOB}"
    assert parser.get(section, "autorestart") == "unexpected"
    assert (code not in list_of_exitcodes(parser.get(section, "exitcodes"))) is again


def test_preflight_names_a_missing_package(state: State, free_port: int) -> None:
    service = replace(server(free_port), command=("/nowhere/java", "-jar", "/nowhere/nessie.jar"))
    with pytest.raises(LakehouseError, match=r"Missing: /nowhere/java, /nowhere/nessie.jar. `make setup` fetches"):
        steps.preflight(state, [service])


def test_no_command_hangs_with_a_supervisor_that_hangs(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process: the system accepts connections for it."""
    monkeypatch.setattr("lakehouse.runtimes.process.supervisor._ANSWER_SECONDS", 0.1)
    state.socket.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stopped:
        stopped.bind(str(state.socket))
        stopped.listen()
        supervisor = Supervisor(state)
        assert not supervisor.alive()
        assert supervisor.processes() == {}
        assert not supervisor.runs_job()
        supervisor.stop()


def test_a_supervisor_that_is_gone_says_nothing(state: State) -> None:
    supervisor = Supervisor(state)
    assert not supervisor.alive()
    assert supervisor.processes() == {}
    supervisor.stop()
    supervisor.remove("web")
    with pytest.raises(LakehouseError, match="does not run"):
        supervisor.restart("web")


def test_what_outlives_a_run_of_cdktf_does_not_use_its_temporary_folder(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, str]] = []
    answers = iter((False, True) * 2)
    monkeypatch.setattr(Supervisor, "alive", lambda self: next(answers))
    monkeypatch.setattr(subprocess, "run", lambda command, env, **rest: started.append(env))
    state.prepare()
    monkeypatch.setenv("TMPDIR", "/the/run's")
    monkeypatch.setenv(temporary.OWN, "/the/run's")
    Supervisor(state).start()
    monkeypatch.delenv(temporary.OWN)
    Supervisor(state).start()
    own = str(state.root / "tmp" / "supervisord")
    assert [(env["TMPDIR"], env.get(temporary.OWN)) for env in started] == [(own, own), ("/the/run's", None)]
    assert Path(own).is_dir()


def test_the_codes_of_refusals_are_those_of_supervisord() -> None:
    ours = {name: value for name, value in vars(Faults).items() if name.isupper()}
    assert ours == {name: getattr(xmlrpc.Faults, name) for name in ours}


def test_a_process_that_starts_again_before_it_is_removed_is_stopped_once_more(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def call(_: Supervisor, method: str, *arguments: object) -> bool:
        asked.append(method)
        if asked == ["stopProcessGroup", "removeProcessGroup"]:
            raise Fault(xmlrpc.Faults.STILL_RUNNING, "STILL_RUNNING: web")
        return True

    monkeypatch.setattr(Supervisor, "_call", call)
    Supervisor(state).remove("web")
    assert asked == ["stopProcessGroup", "removeProcessGroup"] * 2


def test_what_the_former_process_left_is_gone_before_the_new_one_is_asked(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = state.root / "ready"
    there: dict[str, bool] = {}

    def call(_: Supervisor, method: str, *arguments: object) -> bool:
        there[method] = ready.exists()
        return True

    monkeypatch.setattr(Supervisor, "_call", call)
    state.prepare()
    ready.touch()
    Supervisor(state).add(replace(server(1), forgets=(str(ready),)))
    assert (there["stopProcessGroup"], there["addProcessGroup"]) == (True, False)
