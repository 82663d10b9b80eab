"""``python -m bootstrap.schedule.serve FILE``: the scheduler. The supervisor runs it.

Each task waits for its time in a thread of its own, so one never runs twice at once. A time that passed while the
lakehouse was down, or while the task still ran, is made up once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bootstrap.schedule.run import Scheduled
from bootstrap.schedule.tasks import Task, tasks
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.runs import of_stack
from lakehouse.runtimes.state import State, write_private
from lakehouse.spec.schedule import Schedule

_LONGEST = 30.0  # seconds of one wait, after which the clock is looked at again
_SET_BACK = 3600.0  # seconds; a clock that is set back by less delays a run by no more
_LONG = 3600.0  # seconds of a run that people must know of, if its task's next time has come


@dataclass(frozen=True)
class Served:
    """The content of the scheduler's file."""

    scheduled: Scheduled
    tasks: tuple[Task, ...]
    zone: ZoneInfo

    @classmethod
    def read(cls, path: Path) -> Served:
        raw = json.loads(path.read_text())
        schedule, file = Schedule.model_validate(raw["schedule"]), Path(raw["file"])
        scheduled = Scheduled(file, raw["lakehouse"], raw["stack"], State(Path(raw["state"])), schedule.notify)
        return cls(
            scheduled, tuple(tasks(schedule, file, raw["lakehouse"], raw["stack"])), ZoneInfo(schedule.time_zone)
        )


def known_since(path: Path, some: Sequence[Task], now: float) -> dict[str, float]:
    """Since when each task has its present time. A task that is new, or has another time, has it since now."""
    try:
        noted: Mapping[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        noted = {}
    since = {
        each.name: float(noted[each.name]["since"]) if noted.get(each.name, {}).get("at") == each.at else now
        for each in some
    }
    write_private(path, json.dumps({each.name: {"at": each.at, "since": since[each.name]} for each in some}))
    return since


def follow(
    task: Task,
    served: Served,
    since: float,
    *,
    wait: Callable[[float], bool],
    now: Callable[[], float] = time.time,
) -> None:
    """Run a task at each of its times, until ``wait`` says that the scheduler ends.

    A clock that went wrong for a while, as at the start of a machine, and was set back ends no task: its next time is
    counted from the clock as it is now, and not from a run in the future.
    """
    last = served.scheduled.runs.last(task.name)
    after = max(since, last.began if last else 0.0)
    while True:
        due = task.due(datetime.fromtimestamp(after, UTC), served.zone).timestamp()
        while (left := due - now()) > 0:
            if after - now() > _SET_BACK:
                break
            if wait(min(left, _LONGEST)):
                return
        if wait(0):
            return
        if left > 0:
            after = now()
            continue
        with _watched(task, served, now()):
            _run(task, served)
        after = now()


@contextmanager
def _watched(task: Task, served: Served, began: float) -> Iterator[None]:
    """Tell people if the run takes longer than to the task's next time, and than an hour."""
    at = datetime.fromtimestamp(began, UTC)
    seconds = max(_LONG, task.due(at, served.zone).timestamp() - began)
    timer = threading.Timer(seconds, served.scheduled.late, (task, f"{at.astimezone(served.zone):%Y-%m-%d %H:%M}"))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run(task: Task, served: Served) -> None:
    try:
        run = served.scheduled.run(task)
        took = "" if run.seconds is None else f" after {run.seconds:.0f} s"
        print(f"{task.name}: {run.outcome}{took}{f'; {run.told}' if run.told else ''}", flush=True)
    except LakehouseError as error:  # it runs already
        print(f"{task.name}: {error}", flush=True)
    except Exception as error:  # noqa: BLE001 - as on a full disk; nobody would notice that the task never runs again
        _say(task, served, error)


def _say(task: Task, served: Served, error: Exception) -> None:
    """To people first: the disk of the log may be full."""
    with suppress(OSError):
        told = served.scheduled.lost(task, error)
        print("".join(traceback.format_exception(error)), f"{task.name}: could not run; {told}", sep="", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    (path,) = sys.argv[1:] if arguments is None else arguments
    served = Served.read(Path(path))
    own = of_stack(served.scheduled.state)
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    with served.scheduled.runs.serving():
        since = known_since(own.root / "since.json", served.tasks, time.time())
        threads = [
            threading.Thread(target=follow, args=(each, served, since[each.name]), kwargs={"wait": end.wait})
            for each in served.tasks
        ]
        for each in threads:
            each.daemon = True  # its program has the signal too
            each.start()
        write_private(own.config("scheduler") / "ready", str(os.getpid()))
        end.wait()
        for each in threads:
            each.join(timeout=10)


if __name__ == "__main__":
    main()
