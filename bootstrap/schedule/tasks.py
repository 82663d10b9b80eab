"""What each task of a schedule runs, and what its end means. Only decisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lakehouse.runtimes.runs import DRIFT, FAILED, OK
from lakehouse.spec.schedule import BackupTask, Schedule

_FOUND = 2  # the exit code of `lakehouse drift` that found something, but also that of a wrong file


@dataclass(frozen=True)
class Task:
    """A task: the commands that it runs one after the other, each as words after ``lakehouse``."""

    name: str
    at: str  # as cron writes it
    commands: tuple[tuple[str, ...], ...]

    def due(self, since: datetime, zone: ZoneInfo) -> datetime:
        """The first time after ``since``."""
        from cronsim import CronSim

        due: datetime = next(CronSim(self.at, since.astimezone(zone)))
        return due

    def outcome(self, code: int, printed: bool) -> str:
        """What the end of its commands means. ``printed``: it wrote something other than errors."""
        if code == 0:
            return OK
        # A wrong file has the same code, and only an error to say.
        return DRIFT if self.name == "drift" and code == _FOUND and printed else FAILED


def tasks(schedule: Schedule, file: Path, lakehouse: str, stack: str) -> list[Task]:
    """The tasks of a stack's schedule, in the usual order."""
    commands = {
        "maintenance": (("maintain",),),
        "metadata": (("metadata", "publish"),),
        "backup": tuple(_backup(schedule.backup, file.parent, f"{lakehouse}/{stack}")) if schedule.backup else (),
        "drift": (("drift",),),
    }
    return [Task(name, at, commands[name]) for name, at in schedule.times.items()]


def _backup(task: BackupTask, folder: Path, own: str) -> Iterator[tuple[str, ...]]:
    to = task.to if task.to.startswith("s3://") else str(folder / task.to)
    key = ("--no-secrets",) if task.key is None else ("--key-file", str(folder / task.key))
    yield ("backup", "create", to, *key)
    if task.keep is not None:
        yield ("backup", "delete", to, "--keep", str(task.keep), "--of", own)  # others may keep theirs there
