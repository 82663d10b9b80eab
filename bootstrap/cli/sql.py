"""SQL: the commands sql and shell."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from bootstrap.cli import in_aws

app = typer.Typer(rich_markup_mode=None)


@app.command()
def sql(
    context: typer.Context,
    file: Annotated[str | None, typer.Argument(help="A file of statements; - or none: standard input.")] = None,
    named: Annotated[str | None, typer.Option("-f", "--file", metavar="FILE", help="The same as FILE.")] = None,
    expressions: Annotated[
        list[str] | None, typer.Option("-e", "--execute", metavar="SQL", help="The statements; may be given again.")
    ] = None,
    engine: Annotated[
        Literal["trino", "spark"] | None, typer.Option(help="Which engine runs them [default: trino, if there is one].")
    ] = None,
    form: Annotated[
        Literal["table", "vertical", "csv", "json"],
        typer.Option("--format", help="How rows are printed: vertical has a line a value, json an object a line."),
    ] = "table",
    null: Annotated[
        str | None, typer.Option("--null", metavar="TEXT", help="What stands for NULL [default: NULL; nothing in csv].")
    ] = None,
    timing: Annotated[bool, typer.Option("--timing", help="Print the seconds of each statement to stderr.")] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Cancel what has not ended by then.")
    ] = None,
) -> None:
    """Run SQL statements, separated by semicolons, in one session; the first that fails ends it with exit code 1.

    Ctrl-C, a closed pipe and the timeout cancel the statement in the engine. docs/sql.md says how values are printed.
    """
    from bootstrap.session import misspelt
    from bootstrap.session import sql as run
    from bootstrap.session.statements import split_all

    texts, source = run.source_of(run.one_of(file, named), expressions or [])
    target = context.obj.target()
    statements = split_all(texts, run.engine_name(target, engine), source)
    printing = run.Printing.to(sys.stdout, sys.stderr, form, null)
    known = misspelt.names(target.lakehouse)
    run.run(run.open_engine(target, engine), statements, printing, source, timing=timing, seconds=timeout, known=known)


@app.command()
def shell(
    context: typer.Context,
    kind: Annotated[Literal["trino", "spark", "pyspark"], typer.Argument(help="Which shell.")] = "trino",
) -> None:
    """Open a shell: Trino's own, SQL by Spark Connect, or Python with `spark` bound to it. In AWS: SQL by Athena."""
    from bootstrap.operations import shell as shells
    from bootstrap.session import sql as run
    from bootstrap.session.spark_sql import SparkEngine

    target = context.obj.target()
    if target.in_aws:
        if kind != "trino":
            in_aws.refuse(target, f"shell {kind}", "Spark has no sessions there: run a job, `lakehouse run`.")
        shells.spark(run.open_engine(target, None))
    elif kind == "trino":
        shells.trino(target)
    elif kind == "pyspark":
        shells.pyspark(target)
    else:
        shells.spark(SparkEngine(target))
