"""The real supervisord with small processes."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving, generations, processes
from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.incarnation import NONE, Incarnation, record, recorded
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.process.incarnation import look
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Port, Probe, Service
from lakehouse.text.placeholders import Content, Secret

pytestmark = pytest.mark.integration

SERVER = "; ".join(  # one line: supervisord's configuration holds no others
    (
        "import sys, http.server as h",
        "h.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()",
    )
)


def server(port: int, name: str = "web") -> Service:
    return Service(
        name=name,
        image="image",
        packages=(),
        command=(sys.executable, "-c", SERVER, str(port)),
        probe=Probe("http", port, expect="100% 'hello'", patience=20),
        ports=(Port(name, port),),
        files=(File("index.html", ("100% 'hello' ", Secret("word"))),),
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "a [1] ;%'")  # special characters of supervisord, a shell and patterns
    yield state
    steps.supervisor_down(state)
    assert list(processes.belonging(state)) == []


def test_up_kill_and_down(state: State, free_port: int) -> None:
    service = server(free_port)
    steps.preflight(state, [service])
    steps.supervisor_up(state, "1")
    steps.service_up(state, service, Incarnation("d", "3"))
    supervisor = Supervisor(state)
    first = supervisor.processes()["web"]
    assert first.up
    assert recorded(state, "web") == Incarnation("d", "3")
    assert state.secret("word") in (state.config("web") / "index.html").read_text()
    assert state.secret("word") not in (state.conf_d / "web.conf").read_text()

    os.kill(first.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while supervisor.processes()["web"].pid in (0, first.pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)

    steps.service_down(state, "web")
    assert "web" not in supervisor.processes()
    assert not processes.is_open(free_port)


def test_a_killed_supervisor_is_seen_and_its_orphans_are_ended(state: State, free_port: int) -> None:
    service = server(free_port)
    steps.supervisor_up(state, "1")
    steps.service_up(state, service, look([service], state)["web"])
    before = look([service], state)
    assert before["web"] == recorded(state, "web")

    supervisor = int(state.pid_file.read_text())
    os.kill(supervisor, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(supervisor)] if psutil.pid_exists(supervisor) else [], timeout=5)
    assert processes.is_open(free_port), "the service outlives its supervisor"
    assert look([service], state)["web"] != before["web"]

    steps.preflight(state, [service])  # the orphan's port is not a stranger's
    steps.supervisor_up(state, "2")
    assert not processes.is_open(free_port)


def test_a_job_in_the_background_begins_again_if_it_is_killed_and_ends_with_the_lakehouse(
    state: State, tmp_path: Path
) -> None:
    folder = tmp_path / ".training-1"
    folder.mkdir()
    steps.supervisor_up(state, "1")
    supervisor = Supervisor(state)
    mark = f"LAKEHOUSE_STATE={shlex.quote(str(state.root))} LAKEHOUSE_SERVICE={JOB}"
    script = f"export {mark}\nexec {sys.executable} -c 'import time; time.sleep(60)'\n"
    assert supervisor.start_job(script)
    assert not supervisor.start_job(script), "one is enough"
    assert JOB not in supervisor.processes()

    def pid() -> int:
        deadline = time.monotonic() + 60
        while not (found := list(processes.belonging(state, JOB))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return found[0].pid

    first = pid()
    os.kill(first, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(first)] if psutil.pid_exists(first) else [], timeout=5)
    assert pid() != first
    archiving.note(state, archiving.JobNote("recording", 1, folder=str(folder)))
    steps.supervisor_down(state)
    assert list(processes.belonging(state)) == []
    assert not folder.exists()

    steps.supervisor_up(state, "2")
    assert supervisor.start_job("exit 0"), "after a deploy that stopped it"
    while supervisor.runs_job():
        time.sleep(0.1)
    assert supervisor.start_job("exit 0"), "after it has ended"


def test_what_a_service_leaves_outside_the_state_folder_is_removed_after_its_end(
    state: State, free_port: int, tmp_path: Path
) -> None:
    left = tmp_path / "left.sock"
    service = replace(server(free_port), leaves=(str(left), str(tmp_path / "never-there")))
    steps.supervisor_up(state, "1")
    ends: tuple[Callable[[], None], ...] = (
        partial(steps.service_down, state, "web"),
        partial(steps.supervisor_down, state),
    )
    for end in ends:
        steps.service_up(state, service, Incarnation("d", "1"))
        left.touch()
        end()
        assert not left.exists()


def test_a_service_that_cannot_start_shows_its_log(state: State, free_port: int) -> None:
    served = server(free_port)
    # It ends within startsecs, so it is FATAL in the end. On a busy machine supervisord can see an end later than that:
    # then the process is EXITED, and counts as failed at once, or is started again and counted from one.
    fails, patient = ("/bin/sh", "-c", "echo the reason; exit 1"), replace(served.probe, patience=100)
    broken = replace(served, command=fails, probe=patient)
    steps.supervisor_up(state, "1")
    said = r"(?s)web is not ready: port \d+/ did not answer.*its process is (FATAL|EXITED).*the reason"
    with pytest.raises(LakehouseError, match=said):
        steps.service_up(state, broken, Incarnation("d", "1"))
    assert recorded(state, "web") == NONE


def test_a_taken_port_is_named_with_its_holder(state: State, free_port: int) -> None:
    with psutil.Popen([sys.executable, "-c", SERVER, str(free_port)]) as stranger:
        try:
            while not processes.is_open(free_port):
                time.sleep(0.05)
            with pytest.raises(
                LakehouseError, match=rf"Port {free_port} \(web\) is taken by .*pid {stranger.pid}, user"
            ):
                steps.preflight(state, [server(free_port)])
        finally:
            stranger.kill()
    assert not Supervisor(state).alive(), "found before anything was started"


def test_services_of_a_moved_folder_are_named_and_end(state: State, free_port: int) -> None:
    service, moved = server(free_port), State(state.root.with_name("b"))
    steps.supervisor_up(state, "1")
    steps.service_up(state, service, Incarnation("d", "1"))
    state.root.rename(moved.root)
    with pytest.raises(LakehouseError) as said:
        steps.preflight(moved, [service])
    assert f"were started in {state.root}, which is {moved.root} now. `lakehouse destroy` stops" in str(said.value)
    steps.supervisor_down(moved)
    assert not processes.is_open(free_port)
    steps.preflight(moved, [service])


def test_what_the_file_no_longer_names_is_stopped(state: State, free_port: int) -> None:
    service = server(free_port)
    steps.supervisor_up(state, "1")
    steps.service_up(state, service, Incarnation("d", "1"))
    steps.preflight(state, [])
    assert Supervisor(state).processes()["web"].up, "a check stops nothing"
    steps.stop_replaced(state, {})
    assert Supervisor(state).processes() == {}


def test_only_services_that_start_again_are_stopped(state: State, free_port: int) -> None:
    """Two services may swap their ports: each finds its new one free."""
    other_port = free_port + 1
    steps.supervisor_up(state, "1")
    for service in (server(free_port), server(other_port, "other")):
        steps.service_up(state, service, Incarnation("d", "1"))
    kept = (server(other_port, "other"), Incarnation("d", "1"))
    steps.stop_replaced(state, {"web": (server(free_port), Incarnation("e", "2")), "other": kept})
    assert Supervisor(state).processes().keys() == {"other"}


def test_two_services_may_swap_their_ports(state: State, free_port: int) -> None:
    numbers = {"web": free_port, "other": free_port + 1}
    steps.supervisor_up(state, "1")
    for name, number in numbers.items():
        steps.service_up(state, server(number, name), Incarnation("d", "1"))
    swapped = {
        "web": (server(numbers["other"]), Incarnation("e", "2")),
        "other": (server(numbers["web"], "other"), Incarnation("e", "2")),
    }
    steps.preflight(state, [service for service, _ in swapped.values()])
    steps.stop_replaced(state, swapped)
    for service, start in swapped.values():
        steps.service_up(state, service, start)


@pytest.mark.parametrize("content", ["", " \n"])
def test_preflight_names_an_empty_secret(state: State, free_port: int, content: str) -> None:
    state.prepare()
    (state.root / "secrets" / "word").write_text(content)
    with pytest.raises(LakehouseError, match="The secret .*word is empty"):
        steps.preflight(state, [server(free_port)])


def test_preflight_names_a_file_that_is_not_there(state: State, free_port: int, tmp_path: Path) -> None:
    service = replace(server(free_port), files=(File("license", Content(str(tmp_path / "gone"))),))
    with pytest.raises(LakehouseError, match="gone, which lakehouse.yaml names, does not exist"):
        steps.preflight(state, [service])


def test_a_user_without_an_entry_is_refused(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    with pytest.raises(LakehouseError, match="User 4000000 has no entry.*Deploy as a user that has"):
        steps.preflight(state, [])
    assert not state.root.exists()
    monkeypatch.undo()


def test_a_refused_user_namespace_is_named_before_anything_is_made(
    state: State, free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    with monkeypatch.context() as root:
        root.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        root.setattr("os.geteuid", lambda: 0)
        with pytest.raises(LakehouseError, match=r"web: does not run as root.*deploy as an ordinary user"):
            steps.preflight(state, [replace(server(free_port), unprivileged=True)])
    assert not state.root.exists()


def test_record_survives_a_restart_by_hand(state: State, free_port: int) -> None:
    service = server(free_port)
    steps.supervisor_up(state, "1")
    steps.service_up(state, service, look([service], state)["web"])
    record(state, "web", look([service], state)["web"])
    Supervisor(state).restart("web")
    deadline = time.monotonic() + 60
    while look([service], state)["web"] != recorded(state, "web"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_rotated_secret_reaches_its_user_and_nobody_else(state: State, free_port: int) -> None:
    """A deploy's steps without Terraform: a look, a preflight, then the services with another incarnation."""
    users = server(free_port)
    others = replace(server(free_port + 1, "other"), files=(File("index.html", "100% 'hello' nobody"),))

    def deploy() -> list[str]:
        planned = generations.plan(state, [users, others], None)
        wanted = look([users, others], state, planned)
        steps.preflight(state, [users, others], None, planned)
        generations.renew(state, [users, others], planned)
        steps.supervisor_up(state, "1")
        started = [each for each in (users, others) if wanted[each.name] != recorded(state, each.name)]
        for each in started:
            steps.service_up(state, each, wanted[each.name])
        return [each.name for each in started]

    assert deploy() == ["web", "other"]
    first = state.secret("word")
    generations.rotate(state, [users, others], "word", None)
    assert deploy() == ["web"]
    assert state.secret("word") != first
    assert state.secret("word") in (state.config("web") / "index.html").read_text()
    assert deploy() == []
