"""``lakehouse schedule``: what the lakehouse does by itself; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption, print_json
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from bootstrap.schedule.run import Scheduled
    from bootstrap.schedule.tasks import Task
    from lakehouse.runtimes.runs import ScheduledRun
    from lakehouse.spec.schedule import Schedule

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="See what the lakehouse does at certain times, and how that went.",
)
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="maintenance, metadata, backup or drift.")]


@app.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show each task: its time, when it runs next, and its last run. Exit code 1 if the scheduler does not run."""
    from zoneinfo import ZoneInfo

    from bootstrap.cli.tables import table

    scheduled, schedule, tasks = _of(context)
    up, now, zone = scheduled.runs.served(), datetime.now(UTC), ZoneInfo(schedule.time_zone)
    rows = [(each, each.due(now, zone) if up else None, scheduled.runs.last(each.name)) for each in tasks]
    if as_json:
        found = [
            {"task": task.name, "at": task.at, "next": due and due.isoformat(), "last": last and asdict(last)}
            for task, due, last in rows
        ]
        print_json({"scheduler": up, "time_zone": schedule.time_zone, "tasks": found})
    else:
        cells = [
            (task.name, task.at, f"{due:%Y-%m-%d %H:%M}" if due else "-",
             f"{_when(last.began, zone)}: {last.outcome}" if last else "never ran")
            for task, due, last in rows
        ]  # fmt: skip
        output.show(table(("TASK", "AT", f"NEXT ({schedule.time_zone})", "LAST"), cells), width=200)
        if not up:
            print(context.obj.target().advice("The scheduler does not run: `lakehouse deploy` starts it."))
    if not up:
        raise typer.Exit(1)


@app.command()
def run(context: typer.Context, name: TaskArgument) -> None:
    """Run a task now, as the scheduler would: it is recorded, and those whom the file names are told.

    Exit code 1 if it failed, 2 if it found drift.
    """
    from lakehouse.runtimes import owner
    from lakehouse.runtimes.runs import DRIFT, OK

    scheduled, _, tasks = _of(context)
    if owner.read(scheduled.state.root) is None:  # a run would make a folder that is nobody's
        raise UsageError("The stack was never deployed: `lakehouse deploy` starts it, and its scheduler.")
    done = scheduled.run(_task(tasks, name))
    print(scheduled.runs.log(done).read_text(errors="replace"), end="")
    print(f"{done.task}: {done.outcome} after {done.seconds or 0:.0f} s{f'; {done.told}' if done.told else ''}")
    if done.outcome != OK:
        raise typer.Exit(2 if done.outcome == DRIFT else 1)


@app.command()
def history(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[TASK]", help="Only this one.")] = None,
    lines: Annotated[int, typer.Option("-n", min=1, help="How many runs.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the runs, the newest last: when, how long, the exit code, how it ended, and the file with its log."""
    from zoneinfo import ZoneInfo

    from bootstrap.cli.tables import table

    scheduled, schedule, tasks = _of(context)
    names = [_task(tasks, name).name] if name else scheduled.runs.tasks()
    runs = sorted((run for each in names for run in scheduled.runs.of(each)), key=lambda run: run.began)[-lines:]
    if as_json:
        print_json([{**asdict(each), "log": str(scheduled.runs.log(each))} for each in runs])
        return
    if not runs:
        print("No run yet.")
        return
    zone = ZoneInfo(schedule.time_zone)
    headings = ("TASK", f"BEGAN ({schedule.time_zone})", "SECONDS", "CODE", "ENDED", "TOLD", "LOG")
    output.show(table(headings, [_row(each, scheduled, zone) for each in runs]), width=240)


def _row(run: ScheduledRun, scheduled: Scheduled, zone: Any) -> tuple[str, ...]:
    took = "-" if run.seconds is None else f"{run.seconds:.1f}"
    code = "-" if run.code is None else str(run.code)
    return run.task, _when(run.began, zone), took, code, run.outcome, run.told or "-", str(scheduled.runs.log(run))


def _when(seconds: float, zone: Any) -> str:
    return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M:%S}"


def _of(context: typer.Context) -> tuple[Scheduled, Schedule, list[Task]]:
    from bootstrap.schedule.run import Scheduled
    from bootstrap.schedule.tasks import tasks

    target = context.obj.target()
    local = target.local
    schedule = target.lakehouse.stacks[target.stack].schedule
    if schedule is None:
        raise UsageError(f"stacks.{target.stack} of {target.path.name} has no `schedule` (docs/operations.md).")
    scheduled = Scheduled(target.path, target.lakehouse.name, target.stack, local.state, schedule.notify)
    return scheduled, schedule, tasks(schedule, target.path, target.lakehouse.name, target.stack)


def _task(some: list[Task], name: str) -> Task:
    for each in some:
        if each.name == name:
            return each
    raise UsageError(f'The schedule has no task "{name}"; it has {", ".join(each.name for each in some)}.')
