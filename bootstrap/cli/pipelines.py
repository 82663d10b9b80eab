"""``lakehouse pipelines``: what flows into tables; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption, print_json
from lakehouse.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Look at pipelines, stop them and start them.",
)
PipelineArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name, as under `pipelines` in the file.")]


@app.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the pipelines of the file: where rows come from, and the table that they go to."""
    from bootstrap.session.pipelines import described

    pipelines = context.obj.target().lakehouse.pipelines
    if as_json:
        found = {name: {"engine": of.engine, "from": described(of), "to": of.to} for name, of in pipelines.items()}
        print_json(found)
        return
    from rich.table import Table

    table = Table("NAME", "ENGINE", "FROM", "TO", box=None, pad_edge=False)
    for name, each in pipelines.items():
        table.add_row(name, each.engine, described(each), each.to)
    output.show(table, width=200)


@app.command()
def status(
    context: typer.Context,
    as_json: JsonOption = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print Prometheus' text format.")] = False,
) -> None:
    """Show each pipeline: its state, by its tasks, and the messages not in its table. Exit code 1 unless all run."""
    from bootstrap.session.pipelines import FAILED, FINISHED, RUNNING, STOPPED, UNKNOWN, families, look
    from lakehouse.text.metrics import text

    if as_json and prometheus:
        raise UsageError("Both --json and --prometheus are given: choose one.")
    target = context.obj.target()
    found = look(target)
    if prometheus:
        print("\n".join(text(families(found))))
        return
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        from rich.table import Table

        table = Table("NAME", "STATE", "LAG", "FROM", "TO", box=None, pad_edge=False)
        for each in found:
            lag = "-" if each.lag is None else str(each.lag)
            table.add_row(each.name, each.state, lag, each.source, each.to)
        output.show(table, width=200)
        for each in found:
            if each.state == FAILED:
                print(f"{each.name}: {each.problem}")
                print(target.advice(f"`lakehouse pipelines logs {each.name}` has all of it."))
            elif each.state == UNKNOWN:
                print(f"{each.name}: {each.problem}")
            elif each.state == STOPPED:
                print(target.advice(f"{each.name}: `lakehouse pipelines start {each.name}` lets it go on."))
    if any(each.state not in (RUNNING, FINISHED) for each in found):
        raise typer.Exit(1)


@app.command()
def start(context: typer.Context, name: PipelineArgument) -> None:
    """Let a stopped pipeline go on where it was, or start what has failed of it again."""
    from bootstrap.operations import pipelines

    pipelines.start(context.obj.target(), name)
    print(f"pipeline {name} starts.")


@app.command()
def stop(context: typer.Context, name: PipelineArgument) -> None:
    """Stop a pipeline. It stays stopped, also after a deploy, until it is started; what it has read to is kept."""
    from bootstrap.operations import pipelines

    pipelines.stop(context.obj.target(), name)
    print(f"pipeline {name} is stopped.")


@app.command()
def logs(context: typer.Context, name: PipelineArgument) -> None:
    """Show why its tasks failed, and what the log of its engine has about it."""
    from bootstrap.operations import pipelines

    for line in pipelines.traces(context.obj.target(), name):
        print(line)
