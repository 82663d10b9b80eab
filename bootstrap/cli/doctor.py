"""``lakehouse doctor``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Find what is wrong with a stack, the cause and the fix. Exit code 1 if there is an error.

    It changes nothing. What can only follow from an error already found is not checked.
    """
    from bootstrap.doctor import report, run
    from bootstrap.doctor.findings import failed

    stack, found = run.run(context.obj.file, context.obj.stack)
    results = [each.for_stack(context.obj.stack) for each in found]
    if as_json:
        print(json.dumps(report.as_json(stack, results), indent=2))
    else:
        report.show(stack, results)
    if failed(results):
        raise typer.Exit(1)
