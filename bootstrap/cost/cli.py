"""``lakehouse cost``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from bootstrap.cost.estimate import Estimate, Usage, estimate
from bootstrap.cost.prices import AS_OF
from lakehouse.errors import UsageError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def cost(
    context: typer.Context,
    stack: Annotated[str | None, typer.Option("-s", "--stack", help="Which stack of the file, one in AWS.")] = None,
    stored_gb: Annotated[float, typer.Option(min=0, help="Gigabytes stored.")] = Usage.stored_gb,
    scanned_tb: Annotated[float, typer.Option(min=0, help="Terabytes scanned by SQL in a month.")] = Usage.scanned_tb,
    spark_hours: Annotated[
        float, typer.Option(min=0, help="Hours a month of Spark at its upper limit.")
    ] = Usage.spark_hours,
    logs_gb: Annotated[float, typer.Option(min=0, help="Gigabytes of logs a month.")] = Usage.logs_gb,
    requests_million: Annotated[
        float, typer.Option(min=0, help="Million requests to S3 a month.")
    ] = Usage.requests_million,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Estimate a month of a stack in AWS, by dated list prices and said assumptions; warn above the file's budget."""
    from bootstrap.operations.target import find
    from bootstrap.synthesised import synthesise

    target = find(context.obj.file, stack or context.obj.stack)
    found = synthesise(target.path, target.stack)
    if "aws" not in found.document.get("provider", {}):
        raise UsageError(
            f"stacks.{target.stack} is not in AWS: it costs what this machine costs. Name one with --stack"
        )
    usage = Usage(stored_gb, scanned_tb, spark_hours, logs_gb, requests_million)
    made = estimate(found, usage)
    if as_json:
        print(json.dumps(_json(made, usage), indent=2))
    else:
        _show(target.stack, made, usage)
    warn(target.stack, made)


def warn(stack: str, made: Estimate) -> None:
    """Says on standard error what is above the budget, and what the estimate leaves out."""
    if made.unpriced:
        print(f"Warning: not priced: {', '.join(made.unpriced)}.", file=sys.stderr)
    if made.budget is None:
        return
    above = f"the budget of {made.budget:,.0f} USD (stacks.{stack}.budget_usd)"
    if made.dollars > made.budget:
        print(f"Warning: {made.dollars:,.0f} USD a month is above {above}.", file=sys.stderr)
    elif made.most > made.budget:
        print(f"Warning: scaled out, {made.most:,.0f} USD a month is above {above}.", file=sys.stderr)


def _json(made: Estimate, usage: Usage) -> dict[str, object]:
    totals = {"dollars": made.dollars, "most": made.most, "fixed": made.fixed}
    return {"prices_as_of": AS_OF, "usage": asdict(usage), **asdict(made), **totals}


def _show(stack: str, made: Estimate, usage: Usage) -> None:
    from rich.table import Table

    from bootstrap import output

    table = Table(box=None, pad_edge=False)
    table.add_column("WHAT", no_wrap=True)
    table.add_column("USD A MONTH", justify="right", no_wrap=True)
    table.add_column("IS", no_wrap=True)
    for item in sorted(made.items, key=lambda each: -each.dollars):
        table.add_row(item.what, f"{item.dollars:,.2f}", item.amount)
    output.console(width=200).print(table)
    print(f"\n{stack}, {made.region}: {made.dollars:,.0f} USD a month, {made.fixed:,.0f} of it without any use.")
    if made.most > made.dollars:
        print(f"With everything scaled out: {made.most:,.0f} USD.")
    print(f"List prices of us-east-1 as of {AS_OF}, times {made.factor:g} for {made.region} (rough); without tax and")
    print("free tiers. Assumed:")
    for each in usage.said():
        print(f"- {each}")
