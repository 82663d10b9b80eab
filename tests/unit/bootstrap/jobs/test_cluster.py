"""A job's process: what it prints, how it ends, and that nothing of it is left. Its driver is a Python program here."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
import pytest

from bootstrap.jobs import cluster
from bootstrap.jobs.job import Job
from bootstrap.session.target import Target
from lakehouse.text.placeholders import Text


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    def make(text: str, *arguments: str, modules: tuple[str, ...] = ()) -> Job:
        (tmp_path / "daily.py").write_text(text)
        for name in modules:
            (tmp_path / name).write_text("WORD = 'imported'\n")
        return Job.read(tmp_path / "daily.py", [tmp_path / name for name in modules], arguments)

    return make


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Text]:
    """What the driver gets, once a job has begun."""
    seen: dict[str, Text] = {}

    def driver(
        target: Target, file: str, given: dict[str, Text], program: tuple[str, ...], heap_mb: int
    ) -> tuple[list[str], dict[str, str]]:
        seen.update(given, file=file, heap=str(heap_mb))
        return [sys.executable, *program], dict(os.environ)

    monkeypatch.setattr(cluster, "driver", driver)
    return seen


def test_output_log_arguments_and_exit_code(target: Target, job: Callable[..., Job]) -> None:
    out, log = io.StringIO(), io.StringIO()
    text = "import sys; print(sys.argv[1:]); print('a warning', file=sys.stderr); sys.exit(7)"
    assert cluster.run(target, job(text, "--day", "2026-01-14", "a b"), out, log) == 7
    assert out.getvalue() == "['--day', '2026-01-14', 'a b']\n"
    assert log.getvalue() == "a warning\n"


def test_a_job_that_is_killed_ends_with_its_signals_code(target: Target, job: Callable[..., Job]) -> None:
    text = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert cluster.run(target, job(text), io.StringIO(), io.StringIO()) == 137


def test_what_a_job_leaves_behind_is_ended(target: Target, job: Callable[..., Job]) -> None:
    out = io.StringIO()
    text = (
        "import subprocess, sys\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "left = subprocess.Popen(sleep, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(left.pid)\n"
    )
    assert cluster.run(target, job(text), out, io.StringIO()) == 0
    assert _gone([int(out.getvalue())])


def test_its_settings(target: Target, job: Callable[..., Job], settings: dict[str, Text]) -> None:
    cluster.run(target, job("", modules=("helper.py",)), io.StringIO(), io.StringIO())
    folder = str(settings["file"]).removesuffix("/spark.conf")
    assert settings["spark.app.name"] == "daily"
    assert settings["spark.pyspark.python"] == sys.executable, "of driver and executors, which must be the same"
    assert settings["spark.submit.pyFiles"] == str(target.local.state.config("spark-master") / folder / "helper.py")
    assert settings["heap"] == "1024", "engines.spark.driver_memory"


def test_its_files_are_private_and_gone_afterwards(target: Target, job: Callable[..., Job]) -> None:
    out = io.StringIO()
    text = "import os, helper; print(helper.WORD, oct(os.stat(__file__).st_mode & 0o777))"
    assert cluster.run(target, job(text, modules=("helper.py",)), out, io.StringIO()) == 0
    assert out.getvalue() == "imported 0o600\n"
    assert list((target.local.state.config("spark-master") / "jobs").iterdir()) == []


_TREE = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


class _Heard(io.StringIO):
    """A stream that reports its first line."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__()
        self._heard = heard

    def write(self, text: str) -> int:
        self._heard(text)
        return super().write(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_job_and_what_it_started(
    target: Target, job: Callable[..., Job], number: signal.Signals
) -> None:
    pids: list[int] = []

    def heard(line: str) -> None:
        pids.extend(map(int, line.split()))
        threading.Timer(0.2, os.kill, (os.getpid(), number)).start()

    began = time.monotonic()
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        cluster.run(target, job(_TREE), _Heard(heard), io.StringIO())
    assert time.monotonic() - began < 5
    assert len(pids) == 2
    assert _gone(pids)


def test_the_job_ends_with_its_command_even_if_that_is_killed() -> None:
    command = ["bash", "-c", cluster._GUARD, "run", sys.executable, "-c", _TREE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        process.stdin.close()  # as the system does it for a program that ends
        assert process.wait(10) == 128 + signal.SIGTERM
    assert _gone(pids)


def _gone(pids: Iterable[int]) -> bool:
    """Whether all have ended within a second: a signal takes its time."""
    until = time.monotonic() + 1
    while any(map(_runs, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
