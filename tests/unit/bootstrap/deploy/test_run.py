"""Running cdktf: what is followed, and how it ends after Ctrl-C. A stand-in takes its place."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from bootstrap.deploy import log
from bootstrap.deploy.run import Ended, project, run
from bootstrap.deploy.view import DeployView
from lakehouse.errors import UsageError
from lakehouse.runtimes.archiving import SWITCH

STANDIN = Path(__file__).with_name("standin.py")
ROOT = Path(__file__).parents[4]
NONE: Mapping[str, str] = MappingProxyType({})


class Seen:
    """A screen that keeps what it showed."""

    def __init__(self) -> None:
        self.views: list[DeployView] = []

    def tell(self, view: DeployView) -> None:
        self.views.append(view)

    def draw(self, view: DeployView) -> None:
        assert self.views[-1:] in ([], [view]), "nothing is drawn that was not told"


def follow(folder: Path, *words: str, screen: Seen | None = None) -> Ended:
    file = folder / "lakehouse.yaml"
    path = log.create(file, "local", "deploy")
    view = DeployView.of("deploy", "demo", "local", ["nessie", "trino"], time.time())
    return run([sys.executable, str(STANDIN), str(folder), *words], file, path, view, screen or Seen())


def once(ready: Callable[[], bool], then: Callable[[], object], *, times: int = 1) -> threading.Thread:
    """Do something when it is ready, in a thread."""

    def work() -> None:
        end = time.monotonic() + 30
        while not ready() and time.monotonic() < end:
            time.sleep(0.02)
        for _ in range(times):
            then()
            time.sleep(0.5)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_is_followed_by_its_events_and_its_log(tmp_path: Path) -> None:
    seen = Seen()
    ended = follow(tmp_path, screen=seen)
    assert (ended.code, ended.signal) == (0, 0)
    assert ended.view.parts["trino"].state == "ready"
    assert ended.view.parts["trino"].note == "engines.trino.memory: 1g -> 2g"
    assert (ended.view.resources, ended.view.contents) == ((1, 3), (1, 1))
    assert seen.views[-1] == ended.view
    (path,) = log.kept(tmp_path / "lakehouse.yaml", "local")
    assert "Initializing the backend" in path.read_text()
    assert ended.lines == tuple(path.read_text().splitlines())


@pytest.mark.parametrize("given", [{}, {"CI": "true"}, {SWITCH: "no"}])
def test_only_the_users_own_ci_is_a_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    for name in ("CI", SWITCH):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "lakehouse.yaml"
    view = DeployView.of("deploy", "demo", "local", [], time.time())
    show = f"import os; print(os.environ.get('CI'), os.environ.get('{SWITCH}'))"
    ended = run([sys.executable, "-c", show], file, log.create(file, "local", "deploy"), view, Seen())
    assert ended.lines == (f"{given.get('CI')} {given.get(SWITCH)}",)


def test_ctrl_c_reaches_terraform_which_ends_by_itself(tmp_path: Path) -> None:
    thread = once((tmp_path / "begun").exists, interrupt)
    ended = follow(tmp_path, "wait")
    thread.join()
    assert (ended.code, ended.signal) == (1, signal.SIGINT)
    assert (tmp_path / "interrupted").exists()
    assert "Terraform exited with code 1" in "\n".join(ended.lines), "cdktf waited for Terraform"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_closed_terminal_ends_it_too(tmp_path: Path) -> None:
    thread = once((tmp_path / "begun").exists, lambda: os.kill(os.getpid(), signal.SIGHUP))
    ended = follow(tmp_path, "wait")
    thread.join()
    assert (ended.code, ended.signal) == (1, signal.SIGHUP)
    assert (tmp_path / "interrupted").exists()


def test_a_terminal_that_closes_says_so_twice_and_terraform_is_asked_once(tmp_path: Path) -> None:
    thread = once((tmp_path / "begun").exists, lambda: os.kill(os.getpid(), signal.SIGHUP), times=2)
    ended = follow(tmp_path, "slow")
    thread.join()
    assert (ended.code, ended.signal) == (1, signal.SIGHUP)
    assert (tmp_path / "interrupted").read_text() == "interrupted\n"


def test_nohup_lets_a_deploy_go_on(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        thread = once((tmp_path / "begun").exists, lambda: os.kill(os.getpid(), signal.SIGHUP))
        done = once(lambda: not thread.is_alive(), (tmp_path / "end").touch)
        ended = follow(tmp_path, "wait")
        done.join()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (ended.code, ended.signal) == (0, 0)


def test_a_screen_that_is_closed_ends_no_deploy(tmp_path: Path) -> None:
    class Closed(Seen):
        def tell(self, view: DeployView) -> None:
            raise BrokenPipeError

    assert follow(tmp_path, screen=Closed()).view.parts["trino"].state == "ready"


def test_ctrl_c_before_terraform_runs_ends_cdktf(tmp_path: Path) -> None:
    thread = once((tmp_path / "begun").exists, interrupt)
    ended = follow(tmp_path, "alone")
    thread.join()
    assert (ended.code, ended.signal) == (-signal.SIGINT, signal.SIGINT)


def test_the_third_ctrl_c_kills(tmp_path: Path) -> None:
    thread = once((tmp_path / "begun").exists, interrupt, times=3)
    ended = follow(tmp_path, "deaf")
    thread.join()
    assert (ended.code, ended.signal) == (-signal.SIGKILL, signal.SIGINT)


@pytest.mark.parametrize(
    "app", ["lakehouse synth", ".venv/bin/lakehouse synth", f"'{sys.executable}' '{ROOT}/main.py'"]
)
def test_cdktf_runs_in_the_nearest_project_of_a_lakehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert project(inner / "lakehouse.yaml") == ROOT, "the toolkit's own, without another one"
    path = tmp_path / "a" / "cdktf.json"
    path.write_text(json.dumps({"app": app}))
    assert project(inner / "lakehouse.yaml") == project(path.with_name("lakehouse.yaml")) == tmp_path / "a"
    monkeypatch.setattr("bootstrap.deploy.run.is_planted", lambda found: found == path)
    assert project(inner / "lakehouse.yaml") == ROOT, "another user's in /tmp would run what that user wants"


def test_a_checkout_runs_its_own_main(tmp_path: Path) -> None:
    (tmp_path / "cdktf.json").write_text((ROOT / "cdktf.json").read_text())
    assert project(tmp_path / "lakehouses" / "lakehouse.yaml") == ROOT, "a main.py without the toolkit beside it"
    (tmp_path / "constructs" / "lakehouse").mkdir(parents=True)
    assert project(tmp_path / "lakehouses" / "lakehouse.yaml") == tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"app": "python3 main.py"}', "its app is 'python3 main.py'"),
        ('{"app": "python3 \'main.py"}', "its app is"),
        ("{}", "it names no app"),
        ("[]", "it names no app"),
        ("", "it names no app"),
    ],
)
def test_another_peoples_app_is_passed_over_or_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "cdktf.json").write_text(text)
    assert project(tmp_path / "mine" / "lakehouse.yaml") == ROOT
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path}/cdktf.json: {said}")):
        project(tmp_path / "lakehouse.yaml")


def test_an_installed_toolkit_has_no_project_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.toolkit.is_installed", lambda: True)
    with pytest.raises(UsageError, match="there is none here, nor one of a lakehouse above. `lakehouse init FOLDER`"):
        project(tmp_path / "lakehouse.yaml")


DRIVER = """
import sys, time
from pathlib import Path
from types import MappingProxyType
from bootstrap.deploy import log
from bootstrap.deploy.run import run
from bootstrap.deploy.screen import screen
from bootstrap.deploy.view import DeployView
folder = Path(sys.argv[1])
file = folder / "lakehouse.yaml"
view = DeployView.of("deploy", "demo", "local", ["nessie", "trino"], time.time())
with screen() as shown:
    ended = run([sys.executable, *sys.argv[2:]], file, log.create(file, "local", "deploy"), view, shown)
print("ended with", ended.code, ended.signal, flush=True)
"""


def terminal(
    folder: Path, *words: str, size: tuple[int, int] = (24, 80), keys: bytes = b"", variables: Mapping[str, str] = NONE
) -> str:
    """What is drawn on a terminal of that size. ``keys`` are pressed when terraform has begun."""
    pid, screen = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR")}
        command = [sys.executable, "-c", DRIVER, str(folder), str(STANDIN), str(folder), *words]
        os.execve(sys.executable, command, {**kept, "TERM": "xterm-256color", **variables})
    drawn, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.2)[0]:
            try:
                drawn += os.read(screen, 65536)
            except OSError:
                break
        if keys and (folder / "begun").exists() and b"trino" in drawn:
            os.write(screen, keys)
            keys = b""
    os.waitpid(pid, 0)
    os.close(screen)
    return drawn.decode()


def test_on_a_terminal_the_view_is_drawn_in_place_and_leaves_nothing(tmp_path: Path) -> None:
    drawn = terminal(tmp_path, "wait", keys=b"\x03")
    assert "\x1b[2K" in drawn, "it draws over what it drew"
    assert re.search(r"trino  starting +\d", drawn)
    assert "stopping: what has begun" in drawn
    after = drawn.rpartition("\x1b[2K")[2]
    assert after.strip().endswith("ended with 1 2")
    assert "trino" not in after
    assert (tmp_path / "interrupted").exists(), "Ctrl-C on the terminal reached terraform, once"


def test_a_narrow_terminal_wraps_no_line(tmp_path: Path) -> None:
    drawn = terminal(tmp_path, "wait", keys=b"\x03", size=(6, 16))
    frames = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", drawn.partition("ended with")[0])
    assert max(len(line) for line in re.split(r"[\r\n]+", frames)) <= 16


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"CI": "true"}])
def test_plain_lines_where_nothing_can_be_drawn(tmp_path: Path, environment: dict[str, str]) -> None:
    drawn = terminal(tmp_path, variables=environment)
    assert "\x1b" not in drawn
    assert [line for line in drawn.splitlines() if line][:2] == [
        "trino: starting (engines.trino.memory: 1g -> 2g)",
        re.search(r"trino: ready after .*", drawn).group().strip(),  # type: ignore[union-attr]
    ]
