"""The schedule: whether anybody runs its tasks, and how they ended."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.runtimes.runs import WELL, Runs


def finding(tasks: Sequence[str], runs: Runs) -> Finding:
    """Only decisions, but for the records of runs."""
    if not runs.served():
        return error("no scheduler", "none of its tasks runs", "`lakehouse deploy` starts the scheduler")
    bad = [run for name in tasks if (run := runs.last(name)) is not None and run.outcome not in WELL]
    if bad:
        what = ", ".join(f"{run.task} {run.outcome}" for run in bad)
        logs = ", ".join(str(runs.log(run)) for run in bad)
        again = f"`lakehouse schedule run {bad[0].task}` tries again"
        return warning(what, f"the reason is at the end of {logs}", again)
    return ok(", ".join(tasks))
