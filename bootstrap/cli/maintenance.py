"""``lakehouse maintain`` and ``lakehouse metrics``; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bootstrap import output
from bootstrap.cli import in_aws
from bootstrap.cli.options import JsonOption
from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    from bootstrap.maintenance.run import Work

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

TableNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME...]", help="A catalog, CATALOG.NAMESPACE or CATALOG.NAMESPACE.TABLE [default: all]."),
]


@app.command()
def maintain(
    context: typer.Context,
    names: TableNames = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would be done; exit code 2 if anything.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compact, rewrite manifests, expire snapshots and remove orphans, as the file's `maintenance` says for each table.

    Uses Spark's procedures, or Trino's if there is no Spark. Exit code 1 if something failed or was refused.
    """
    from bootstrap.maintenance import report, run
    from bootstrap.session.connect import connect

    target = context.obj.target()
    if target.in_aws and (by := in_aws.maintains(target)):
        raise typer.Exit(in_aws.maintain(target, by, names or [], plan=plan, as_json=as_json))
    lakehouse, connections = connect(target.path, target.stack)
    meant = run.chosen(lakehouse, target.path.name, names or [])
    if not meant and not as_json:
        print(f"{target.path.name}: no table has a policy: add `maintenance` to a table, a namespace or a catalog.")
        return
    with output.progress() as bar:
        bar.add_task("checking tables", total=None)
        work = list(run.prepare(lakehouse, connections, meant, run.today()))
    if plan:
        if as_json:
            _print([report.plan_json(each) for each in work])
        else:
            print("\n".join(report.plan_text(work)))
        raise typer.Exit(_planned(work))
    outcomes = []
    if any(not step.refused for each in work for step in each.steps) or any(each.before is None for each in work):
        with output.progress() as bar:
            task = bar.add_task("maintaining", total=len(work))
            carried_out = run.carry_out(
                work,
                connections,
                run.engine(target),
                lambda each, step: bar.update(task, description=f"{each.name}: {step}"),
            )
            for outcome in carried_out:
                outcomes.append(outcome)
                bar.advance(task)
    else:
        outcomes = [run.TableOutcome(each, after=each.before) for each in work]
    if as_json:
        _print([report.outcome_json(each) for each in outcomes])
    else:
        print("\n".join(report.outcome_text(outcomes)))
        for line in report.complaints(outcomes):
            print(line, file=sys.stderr)
    raise typer.Exit(0 if all(each.well for each in outcomes) else 1)


def _planned(work: list[Work]) -> int:
    """The exit code, as for `lakehouse plan`: 0 nothing to do, 2 something, 1 something that cannot be done."""
    if any(each.before is None or any(step.refused for step in each.steps) for each in work):
        return 1
    return 2 if any(each.steps for each in work) else 0


@app.command()
def metrics(
    context: typer.Context,
    names: TableNames = None,
    as_json: JsonOption = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print Prometheus' text format.")] = False,
) -> None:
    """Show rows, size, files, snapshots and metadata of each existing table, whether the file names it or not."""
    from bootstrap.catalogs.metrics import TableReader
    from bootstrap.maintenance import report
    from bootstrap.session.connect import connect

    if as_json and prometheus:
        raise UsageError("Both --json and --prometheus are given: choose one.")
    target = context.obj.target()
    lakehouse, connections = connect(target.path, target.stack)
    found, failed = [], []
    with output.progress() as bar:
        task = bar.add_task("reading tables", total=None)
        for catalog in lakehouse.catalogs:
            reader = TableReader(catalog, connections)
            wanted = {
                table: where
                for table, where in reader.names().items()
                if not names or any(f"{catalog}.{table}.".startswith(f"{name}.") for name in names)
            }
            bar.update(task, total=(bar.tasks[0].total or 0) + len(wanted))
            for table, each in reader.read_all(wanted):
                if isinstance(each, LakehouseError):
                    failed.append(f"failed: {catalog}.{table}: {each}")
                else:
                    found.append(each.metrics)
                bar.advance(task)
    if names and not found and not failed:
        raise UsageError(f"There is no table under {', '.join(names)}. `lakehouse metrics` without names shows all.")
    if as_json:
        _print([report.metrics_json(each) for each in found])
    else:
        print("\n".join(report.prometheus(found) if prometheus else report.metrics_text(found)))
    for line in failed:
        print(line, file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def _print(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))
