"""``lakehouse run``: a job on the stack's Spark; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import UsageError

app = typer.Typer(rich_markup_mode=None)


@app.command()
def run(
    context: typer.Context,
    job: Annotated[Path, typer.Argument(metavar="JOB.py", help="A Python program that uses PySpark.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGUMENT...]", help="Its own arguments, after two dashes.")
    ] = None,
    stack: Annotated[str | None, typer.Option("-s", "--stack", help="Which stack of the file.")] = None,
    modules: Annotated[
        list[Path] | None,
        typer.Option("--py-files", metavar="FILE", help="A .py, .zip or .egg that it imports. Repeatable."),
    ] = None,
    principal: Annotated[
        str | None,
        typer.Option("--as", metavar="PRINCIPAL", help="In AWS: whose role the job has [default: your own role's]."),
    ] = None,
) -> None:
    """Run a job on the stack's Spark, and end with its exit code.

    What the job prints goes to standard output, Spark's log to standard error. Ctrl-C stops the job.
    """
    from bootstrap.jobs.job import Job

    selection = replace(context.obj, stack=stack) if stack else context.obj
    read = Job.read(job, modules or (), arguments or ())
    target = selection.target()
    if target.in_aws:
        from bootstrap.jobs import emr

        raise typer.Exit(emr.run(target, read, principal, sys.stdout, sys.stderr))
    from bootstrap.jobs import cluster

    if principal is not None:
        raise UsageError(
            f"--as: a job of stacks.{target.stack}, which is not in AWS, has the stack's own keys. Leave it out."
        )
    raise typer.Exit(cluster.run(target, read, sys.stdout, sys.stderr))
