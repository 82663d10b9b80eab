"""The prompt for SQL on a terminal, with an engine that does nothing."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from bootstrap.operations import shell
from bootstrap.session.target import Target, find
from bootstrap.session.trino_login import authority
from lakehouse.runtimes import owner
from lakehouse.services.service import Address
from tests.unit.lakehouse.services.place import PROJECT

SHELL = """
import signal, sys, threading, time
from bootstrap.operations import shell

class Engine:
    dialect = "spark"
    def close(self):
        print("closed")

# A signal that another thread gets does not wake the one that waits for a key, as one that comes too early.
def late(number):
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), number)

for number in map(int, sys.argv[1:]):
    threading.Thread(target=late, args=(number,), daemon=True).start()
shell.spark(Engine())
print("left")
"""


def prompt(folder: Path, *numbers: int, keys: bytes = b"", until: bytes = b"") -> tuple[str, int]:
    """What the terminal shows until the shell ends, and its exit code. ``keys`` are pressed when it shows ``until``."""
    pid, screen = pty.fork()
    if pid == 0:
        environment = {**os.environ, "XDG_STATE_HOME": str(folder), "TERM": "dumb"}
        os.execve(sys.executable, [sys.executable, "-c", SHELL, *map(str, numbers)], environment)
    shown, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.2)[0]:
            try:
                shown += os.read(screen, 65536)
            except OSError:
                break
        if keys and until in shown:
            os.write(screen, keys)
            keys = b""
    else:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(screen)
    return shown.decode(), code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_shell_and_its_session_without_a_key(tmp_path: Path, number: int) -> None:
    shown, code = prompt(tmp_path, number)
    assert shown.split() == ["spark>", "closed"]
    assert code == 128 + number


def test_ctrl_c_clears_the_line_without_a_further_key(tmp_path: Path) -> None:
    shown, code = prompt(tmp_path, signal.SIGINT, keys=b"\x04", until=b"spark> \r\nspark> ")
    assert shown.split() == ["spark>", "spark>", "closed", "left"]
    assert code == 0


def test_ctrl_c_pressed_many_times_does_not_end_the_shell(tmp_path: Path) -> None:
    pid, screen = pty.fork()
    if pid == 0:
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "dumb"}
        os.execve(sys.executable, [sys.executable, "-c", SHELL], environment)
    shown, end = b"", time.monotonic() + 60
    while b"spark> " not in shown and time.monotonic() < end:
        shown += os.read(screen, 65536)
    for _ in range(50):
        os.kill(pid, signal.SIGINT)
        time.sleep(0.002)
    time.sleep(1)
    os.write(screen, b"\x04")
    while time.monotonic() < end:
        try:
            shown += os.read(screen, 65536)
        except OSError:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(screen)
    assert (shown.decode().split()[-2:], code) == (["closed", "left"], 0)


def test_the_password_for_trinos_own_shell_is_in_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lakehouse.yaml"
    content = (PROJECT / "lakehouse.yaml").read_text()
    file.write_text(content.replace("trino: {", "trino: {authentication: password, "))
    target = find(file, "local")
    owner.mark(target.located.state, target.located.claim)
    target.local.state.keep("trino-password", "aWord")
    started: list[list[str]] = []
    monkeypatch.setattr(Target, "address", lambda *_: Address("127.0.0.1", 8085))
    monkeypatch.setattr("lakehouse.packages.set_up", lambda *_: None)
    monkeypatch.setattr("lakehouse.packages.java", lambda feature: Path("/java"))

    def execute(path: str, command: list[str]) -> None:
        started.append(command)
        raise SystemExit

    monkeypatch.setattr("os.execv", execute)
    monkeypatch.setenv("TRINO_PASSWORD", "of the shell")
    with pytest.raises(SystemExit):
        shell.trino(target)
    [command] = started
    assert "https://127.0.0.1:8085" in command
    assert command[-3:] == ["--truststore-path", str(authority(target)), "--password"]
    assert "aWord" not in " ".join(command)
    handed = os.environ["TRINO_PASSWORD"]
    assert handed == "aWord"
