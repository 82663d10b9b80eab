"""``lakehouse store``: the object store on the command line; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption
from lakehouse.errors import UsageError
from lakehouse.text.words import listed

if TYPE_CHECKING:
    from bootstrap.probe.probe import ProbeResult
    from bootstrap.remote.connections import StoreConnection

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="Inspect the object store itself."
)

EndpointOption = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Another store, with the keys of $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY."),
]


@app.command()
def probe(context: typer.Context, as_json: JsonOption = False, endpoint: EndpointOption = None) -> None:
    """Try about fifty S3 operations on the running store, in temporary buckets, and time them.

    Exit code 1 if it differs from what the compatibility matrix says about its kind.
    """
    from bootstrap.probe import probe as probing

    kind, store = _store(context, endpoint)
    results = []
    with output.progress() as bar:
        task = bar.add_task("probing", total=len(probing.OPERATIONS))
        for result in probing.probe(store):
            results.append(result)
            bar.update(task, advance=1, description=result.operation)
    found = probing.capabilities(results)
    if as_json:
        content = {"store": kind, "results": [asdict(each) for each in results], "capabilities": found}
        print(json.dumps(content, indent=2))
    else:
        _show(results)
    if differing := _differing(kind, found):
        raise typer.Exit(_complain(kind, differing))


@app.command()
def users(
    context: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes; without it they are only shown.")] = False,
    allow_destroy: Annotated[
        bool, typer.Option("--allow-destroy", help="Also remove users that the file called `deletable: true`.")
    ] = False,
) -> None:
    """Show the part of `lakehouse plan` for the store's users, one for each principal; with --apply, do it.

    Exit code 2 if there are changes and --apply is not given. A user's keys are in the folder of secrets.
    """
    from bootstrap.cli.reconciler import where_in
    from bootstrap.reconciler.changes import SYMBOLS
    from bootstrap.reconciler.objects import OBJECTS
    from bootstrap.reconciler.reconcile import make_plan, reconcile
    from bootstrap.reconciler.world import World
    from bootstrap.session.connect import connect
    from lakehouse.kinds import STORES

    target = context.obj.target()
    kind = target.local.endpoints.store.service
    if not STORES[kind].users:
        with_users = listed(word for word, each in STORES.items() if each.users)
        raise UsageError(
            f"{target.path.name}: the store of stacks.{target.stack}, {kind}, has no users; {with_users} has them."
        )
    lakehouse, connections = connect(target.path, target.stack)
    world, kinds, where = World.of(connections), OBJECTS.only("user"), where_in(target.path)
    plan = make_plan(lakehouse, world, allow_destroy=allow_destroy, where=where, kinds=kinds)
    failed = 0
    for step in plan.steps:
        print(f"{SYMBOLS[step.change.op]} {step.address}")
        for detail in step.change.details:
            print(f"    {detail.symbol} {detail.text}")
    for note in plan.kept:
        print(f"! {note}")
    if apply and plan.steps:
        outcome = reconcile(lakehouse, world, saved=plan, where=where, kinds=kinds)
        failed = len(outcome.failed)
        for each in outcome.failed:
            print(f"failed: {each.address}: {each.message}", file=sys.stderr)
    count, verb = len(plan.steps) - failed, "changed" if apply else "to change"
    print(f"{count} users {verb}." if plan.steps else "Every user matches the file.")
    raise typer.Exit(1 if failed else 2 if plan.steps and not apply else 0)


def _store(context: typer.Context, endpoint: str | None) -> tuple[str, StoreConnection]:
    """The stack's store and its kind, or the store at another address, whose kind is unknown."""
    from bootstrap.remote.connections import StoreConnection
    from bootstrap.session.connect import store

    if endpoint is None:
        target = context.obj.target()
        return target.local.endpoints.store.service, store(target.local)
    access_key, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        raise UsageError("--endpoint takes its keys from $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY: set both.")
    return endpoint, StoreConnection(endpoint, os.environ.get("AWS_REGION", "us-east-1"), access_key, secret_key)


def _show(results: list[ProbeResult]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("OPERATION", "RESULT", "MS", "REMARK"):
        table.add_column(heading, justify="right" if heading == "MS" else "left", no_wrap=heading != "REMARK")
    colours = {"works": "green", "refused": "yellow", "wrong": "red"}
    for each in results:
        result = f"[{colours[each.outcome]}]{each.outcome}[/]"
        table.add_row(each.operation, result, f"{each.milliseconds:.0f}", each.remark)
    output.show(table, width=160)
    counts = {name: sum(each.outcome == name for each in results) for name in colours}
    print(f"\n{len(results)} operations: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + ".")


def _differing(kind: str, found: dict[str, bool]) -> list[str]:
    from lakehouse.kinds import STORES

    said = asdict(STORES[kind].can) if kind in STORES else found
    return [name for name, measured in found.items() if measured != said[name]]


def _complain(kind: str, differing: list[str]) -> int:
    names = ", ".join(name.replace("_", " ") for name in differing)
    print(f"Error: the compatibility matrix says otherwise about {kind}: {names}.", file=sys.stderr)
    return 1
