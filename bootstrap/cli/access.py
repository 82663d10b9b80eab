"""``lakehouse access``: who may do what, the principals' keys, and the proof that the store enforces the file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli.options import JsonOption
from lakehouse.errors import UsageError
from lakehouse.text.words import listed

if TYPE_CHECKING:
    from rich.table import Table

    from bootstrap.remote.connections import Connections
    from bootstrap.session.target import Target
    from bootstrap.stores.users import UserAdmin

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Show who may do what; hand out and replace a principal's keys; test that the store enforces the file.",
)
PrincipalArgument = Annotated[str, typer.Argument(help="As `access.principals` of the file names it.")]


@app.callback(invoke_without_command=True)
def access(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show who may do what, and why, according to the file's roles and principals."""
    if context.invoked_subcommand is not None:
        return
    from bootstrap.session.target import find
    from lakehouse.access.explain import explain

    rows = explain(find(context.obj.file, context.obj.stack).lakehouse)
    if as_json:
        _print_json([asdict(row) for row in rows])
        return
    output.console(width=200).print(
        _table(("PRINCIPAL", "MAY", "ON", "BECAUSE"), (tuple(asdict(row).values()) for row in rows))
    )


@app.command()
def credentials(
    context: typer.Context,
    principal: PrincipalArgument,
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; by default one in the state folder.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the keys on the screen, and write no file.")] = False,
) -> None:
    """Write a principal's keys for the store to a file that only you can read, in AWS's format."""
    from bootstrap.stores.users import UserKeys
    from lakehouse.runtimes.state import write_private

    target, connections, _ = _users(context, principal)
    name, state = f"{target.lakehouse.name}-{principal}", target.local.state
    pair = UserKeys(state).pair(name)
    if pair is None:
        raise UsageError(f"{principal} has no keys: a deploy or `lakehouse apply` makes them if its roles grant files.")
    store = connections.store
    content = (
        f"[default]\naws_access_key_id = {pair[0]}\naws_secret_access_key = {pair[1]}\nregion = {store.region}\n"
        f"endpoint_url = {store.endpoint}\ns3 =\n    addressing_style = path\n"
    )
    if show:
        output.reveal(content)
        return
    path = to or state.root / "access" / f"{principal}.ini"
    try:
        write_private(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Name another file with --to.") from None
    print(f"The keys of {principal} are in {path}. For example:\nAWS_CONFIG_FILE={path} aws s3 ls")


@app.command()
def rotate(
    context: typer.Context,
    principal: Annotated[str | None, typer.Argument(help="As `access.principals` of the file names it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All principals that have keys.")] = False,
    end_former: Annotated[
        bool, typer.Option("--end-former", help="Make no keys; end those that the last rotation has replaced.")
    ] = False,
) -> None:
    """Give a principal new keys for the store. The former ones work until `--end-former`, so no query is lost."""
    if (principal is None) != every:
        raise UsageError("Name one principal, or give --all.")
    from bootstrap.remote.errors import Missing
    from bootstrap.stores.users import UserKeys

    target, _, users = _users(context, principal)
    keys = UserKeys(target.local.state)
    for each in [principal] if principal else list(target.lakehouse.access.principals):
        name = f"{target.lakehouse.name}-{each}"
        if every and keys.access_key(name) is None:
            continue
        try:
            if end_former:
                print(f"{each}: {users.end_former(name)} former pairs of keys have ended.")
            else:
                users.renew(name)
                print(
                    f"{each} has new keys: `lakehouse access credentials {each}`. The former ones work until "
                    f"`lakehouse access rotate {each} --end-former`, which stops whoever still uses them."
                )
        except Missing:
            raise UsageError(f"{each} is no user of the store yet: a deploy or `lakehouse apply` makes it.") from None


@app.command(name="test")
def try_calls(
    context: typer.Context,
    principal: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every call, not only those that are not as the file says.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Try at the store, with each principal's own keys, what the file allows and what it does not.

    In each namespace's and table's folder: list, get, put and delete an object of the test, which removes its objects.
    Exit code 1 if the store allows more or less than the file.
    """
    from bootstrap.stores import proof
    from bootstrap.stores.users import UserKeys
    from lakehouse.access.proof import calls

    target, connections, _ = _users(context, principal)
    prefix, keys = target.lakehouse.name, UserKeys(target.local.state)
    wanted = [call for call in calls(target.lakehouse) if principal in (None, call.principal)]
    found = []
    with output.progress() as bar:
        task = bar.add_task("trying", total=len(wanted))
        for each in proof.outcomes(wanted, connections, lambda name: keys.pair(f"{prefix}-{name}")):
            found.append(each)
            bar.update(task, advance=1, description=each.call.principal)
    wrong = [each for each in found if not each.right]
    rows = [
        (each.call.principal, each.call.operation, each.call.place.name, _word(each.call.allowed), _word(each.allowed))
        for each in (found if every else wrong)
    ]
    headings = ("PRINCIPAL", "CALL", "ON", "FILE", "STORE")
    if as_json:
        _print_json([dict(zip(map(str.lower, headings), row, strict=True)) for row in rows])
    elif rows:
        output.console(width=200).print(_table(headings, rows))
    if wrong:
        print(f"{len(wrong)} of {len(found)} calls were not answered as the file says.", file=sys.stderr)
        raise typer.Exit(1)
    if not as_json:
        store = target.local.endpoints.store.service
        print(f"{len(found)} calls at {store}, all answered as the file says. Catalogs and engines were not asked.")


def _users(context: typer.Context, principal: str | None) -> tuple[Target, Connections, UserAdmin]:
    """The stack, its connections and its store's users. Raises UsageError if there are none."""
    from bootstrap.reconciler.world import World
    from bootstrap.session.connect import connect
    from lakehouse.kinds import STORES

    target: Target = context.obj.target()
    where = f"{target.path.name}: "
    if target.in_aws:
        raise UsageError(f"{where}stacks.{target.stack} is in AWS, where principals are IAM roles and have no keys.")
    if principal is not None and principal not in target.lakehouse.access.principals:
        known = listed(target.lakehouse.access.principals) or "none"
        raise UsageError(f'{where}access.principals has no "{principal}". It has {known}.')
    kind = target.local.endpoints.store.service
    _, connections = connect(target.path, target.stack)
    users = World.of(connections).users
    if users is None:
        having = listed(word for word, each in STORES.items() if each.users)
        raise UsageError(f"{where}the store of stacks.{target.stack}, {kind}, has no users; {having} have them.")
    return target, connections, users()


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _word(allowed: bool) -> str:
    return "allowed" if allowed else "denied"
