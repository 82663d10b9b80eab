"""The schedule: whether anybody runs its tasks, and how they ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.runtimes.runs import RUNNING, WELL, Runs

_LONG = 86_400  # seconds


def finding(tasks: Sequence[str], runs: Runs, clock: Callable[[], float] = time.time) -> Finding:
    """Only decisions, but for the records of runs."""
    if not runs.served():
        return error("no scheduler", "none of its tasks runs", "`lakehouse deploy` starts the scheduler")
    now = clock()
    long = [run for name in tasks if (run := runs.last(name)) is not None and run.outcome == RUNNING
            and now - run.began > _LONG]  # fmt: skip
    if long:
        hours = ", ".join(f"{run.task} has run for {(now - run.began) / 3600:.0f} hours" for run in long)
        logs = ", ".join(str(runs.log(run)) for run in long)
        return warning(hours, "what it waits for does not come", f"see {logs}; end it, and the next run makes it up")
    bad = [run for name in tasks if (run := runs.last(name)) is not None and run.outcome not in WELL]
    if bad:
        what = ", ".join(f"{run.task} {run.outcome}" for run in bad)
        logs = ", ".join(str(runs.log(run)) for run in bad)
        again = f"`lakehouse schedule run {bad[0].task}` tries again"
        return warning(what, f"the reason is at the end of {logs}", again)
    return ok(", ".join(tasks))
