"""The runs of a stack's schedule: one file and one log for each, below ``schedule/`` of the state folder.

A run is written when it begins and when it ends. While it runs, its task is locked; a run without an end whose task is
not locked was killed.
"""

from __future__ import annotations

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.state import State, write_private
from lakehouse.text.metrics import Family

OK, DRIFT, FAILED, RUNNING, KILLED = "ok", "drift", "failed", "running", "killed"
WELL = (OK, DRIFT, RUNNING)  # drift is what was looked for, not a failure
_KEPT = 100  # runs of each task
_SCHEDULER = "scheduler"
_SECONDS = "%Y%m%dT%H%M%S"


@dataclass(frozen=True)
class ScheduledRun:
    """A run of a task. ``began`` and ``ended`` are in seconds since 1970."""

    task: str
    id: str
    began: float
    ended: float | None = None
    code: int | None = None
    outcome: str = RUNNING
    said: str = ""  # a digest of what it found, by which a change is noticed
    told: str = ""  # what became of the notification; empty: there was none

    @property
    def seconds(self) -> float | None:
        return None if self.ended is None else self.ended - self.began


def of_stack(state: State) -> State:
    """The folder of the scheduler's own supervisor, its files and the runs."""
    return State(state.root / "schedule")


class Runs:
    """The runs of a stack."""

    def __init__(self, state: State) -> None:
        self._root = of_stack(state).root

    def begin(self, task: str, now: float) -> ScheduledRun:
        """A new run, which is recorded. It comes after the others, also if the clock was set back since."""
        when, known = datetime.fromtimestamp(now, UTC), self._paths(task)
        with suppress(IndexError, ValueError):  # the first one; a file of somebody else's
            last = datetime.strptime(known[-1].stem.partition("-")[0], f"{_SECONDS}.%fZ").replace(tzinfo=UTC)
            when = max(when, last + timedelta(milliseconds=1))
        id_ = f"{when.strftime(_SECONDS)}.{when.microsecond // 1000:03}Z-{secrets.token_hex(2)}"
        run = ScheduledRun(task, id_, now)
        self.record(run)
        return run

    def record(self, run: ScheduledRun) -> None:
        """Write the run as it is now, and remove the oldest ones."""
        write_private(self._folder(run.task) / f"{run.id}.json", json.dumps(asdict(run)))
        for path in self._paths(run.task)[:-_KEPT]:
            path.with_suffix(".log").unlink(missing_ok=True)
            path.unlink(missing_ok=True)

    def log(self, run: ScheduledRun) -> Path:
        """The file with what it printed."""
        return self._folder(run.task) / f"{run.id}.log"

    def of(self, task: str) -> list[ScheduledRun]:
        """The runs of a task, the oldest first."""
        found = [run for path in self._paths(task) if (run := _read(path)) is not None]
        held = self._held(task)
        return [
            replace(run, outcome=KILLED) if run.outcome == RUNNING and not (held and run is found[-1]) else run
            for run in found
        ]

    def last(self, task: str) -> ScheduledRun | None:
        """The newest run of a task; None if it never ran."""
        return next(reversed(self.of(task)), None)

    def tasks(self) -> list[str]:
        """The tasks that have run."""
        return sorted(each.name for each in (self._root / "runs").glob("*") if each.is_dir())

    @contextmanager
    def alone(self, task: str) -> Iterator[None]:
        """Lock a task. Raises LakehouseError if it runs already."""
        with self._locked(task) as got:
            if not got:
                raise LakehouseError(f"{task} runs already: `lakehouse schedule history {task}` shows since when.")
            yield

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Lock the scheduler itself, so that others see that it runs."""
        with self._locked(_SCHEDULER) as got:
            if not got:
                raise LakehouseError("The scheduler runs already.")
            yield

    def served(self) -> bool:
        """Whether the scheduler runs."""
        return self._held(_SCHEDULER)

    def _held(self, name: str) -> bool:
        if not self._lock(name).exists():
            return False
        with self._locked(name) as got:
            return not got

    @contextmanager
    def _locked(self, name: str) -> Iterator[bool]:
        path = self._lock(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _lock(self, name: str) -> Path:
        return self._root / "locks" / name

    def _folder(self, task: str) -> Path:
        return self._root / "runs" / task

    def _paths(self, task: str) -> list[Path]:
        return sorted(self._folder(task).glob("*.json"))


def _read(path: Path) -> ScheduledRun | None:
    try:
        return ScheduledRun(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):  # removed meanwhile, or damaged
        return None


def families(state: State) -> Iterator[Family]:
    """The metrics of the scheduler and of the last run of each task."""
    runs = Runs(state)
    yield Family("lakehouse_scheduler_up", "Whether the scheduler runs", [({}, float(runs.served()))])
    lasts = [run for task in runs.tasks() if (run := runs.last(task)) is not None]
    if not lasts:
        return
    failed = [({"task": run.task}, float(run.outcome not in WELL)) for run in lasts]
    yield Family("lakehouse_schedule_last_run_failed", "Whether the last run of the task failed", failed)
    began = [({"task": run.task}, run.began) for run in lasts]
    yield Family("lakehouse_schedule_last_run_timestamp_seconds", "When the last run of the task began", began)
    took = [({"task": run.task}, run.seconds) for run in lasts if run.seconds is not None]
    yield Family("lakehouse_schedule_last_run_seconds", "Seconds of the last run of the task", took)
    drift = [({"task": run.task}, float(run.outcome == DRIFT)) for run in lasts if run.task == "drift"]
    if drift:
        yield Family("lakehouse_schedule_drift", "Whether the last comparison found drift", drift)
