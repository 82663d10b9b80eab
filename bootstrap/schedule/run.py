"""Runs a task once: its commands as programs of their own, a record, a log, and who must know."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bootstrap.schedule.notify import Message, missed, send
from bootstrap.schedule.tasks import Task
from lakehouse.runtimes.runs import DRIFT, FAILED, KILLED, OK, Runs, ScheduledRun
from lakehouse.runtimes.state import State
from lakehouse.spec.schedule import Notify

_LINES = 30  # of a log in a message
_INTERRUPTED = 130


@dataclass(frozen=True)
class Scheduled:
    """A stack whose tasks run. ``tell`` sends a message and returns what became of it."""

    file: Path
    lakehouse: str
    stack: str
    state: State
    notify: Notify
    tell: Callable[[Notify, Path, Message], str] = send
    clock: Callable[[], float] = time.time

    @property
    def runs(self) -> Runs:
        return Runs(self.state)

    def run(self, task: Task) -> ScheduledRun:
        """Run a task. Raises LakehouseError if it runs already."""
        with self.runs.alone(task.name):
            before = next((each for each in reversed(self.runs.of(task.name)) if each.ended is not None), None)
            run = self.runs.begin(task.name, self.clock())
            log = self.runs.log(run)
            try:
                code, printed = self._commands(task, log)
            except KeyboardInterrupt:
                self.runs.record(replace(run, ended=self.clock(), code=_INTERRUPTED, outcome=KILLED))
                raise
            outcome = task.outcome(code, printed)
            said = hashlib.sha256(log.read_bytes()).hexdigest()[:12] if outcome == DRIFT else ""
            run = replace(run, ended=self.clock(), code=code, outcome=outcome, said=said)
            self.runs.record(run)
            if (message := self._message(run, before)) is not None:
                run = replace(run, told=self.tell(self.notify, self.file.parent, message))
                self.runs.record(run)
            return run

    def lost(self, task: Task, error: Exception) -> str:
        """Tell people of a run that could not be carried out or recorded, as on a full disk. What became of that."""
        message = Message(f"{self._where}: {task.name} could not run", str(error))
        return self.tell(self.notify, self.file.parent, message)

    def late(self, task: Task, began: str) -> None:
        """Tell people of a run that has no end, while its next time has come."""
        text = f"It began at {began}, and its next time has come. What it misses is made up once, when it ends."
        told = self.tell(self.notify, self.file.parent, Message(f"{self._where}: {task.name} still runs", text))
        print(f"{task.name}: still runs; {told}", flush=True)

    @property
    def _where(self) -> str:
        return f"{self.lakehouse}, stack {self.stack}"

    def _commands(self, task: Task, log: Path) -> tuple[int, bool]:
        """The exit code, and whether anything but errors was printed. The first command that fails is the last."""
        code, errors = 0, log.with_suffix(".errors")
        start = (sys.executable, "-P", "-m", "bootstrap", "--file", str(self.file), "--stack", self.stack)
        for words in task.commands:
            with _private(log) as out, _private(errors) as err:
                code = subprocess.run(
                    (*start, *words), stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False,
                    cwd=self.file.parent, env={**os.environ, "NO_COLOR": "1"},
                ).returncode  # fmt: skip
            if code != 0:
                break
        printed = log.stat().st_size > 0
        with log.open("ab") as out:
            out.write(errors.read_bytes())
        errors.unlink()
        return code, printed

    def _message(self, run: ScheduledRun, before: ScheduledRun | None) -> Message | None:
        """What must be told: each failure, drift that is new or has changed, and drift that is gone."""
        where = self._where
        text = "\n".join(self.runs.log(run).read_text(errors="replace").splitlines()[-_LINES:])
        if run.outcome == FAILED:
            return Message(f"{where}: {run.task} failed (exit code {run.code})", text)
        again = before is not None and missed(before.told)
        if run.outcome == DRIFT and (before is None or before.said != run.said or again):
            return Message(f"{where}: what is there is not as {self.file.name} says", text)
        if run.outcome == OK and before is not None and (before.outcome == DRIFT or (run.task == "drift" and again)):
            return Message(f"{where}: what is there is as {self.file.name} says again", "")
        return None


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
