"""``lakehouse access``: who may do what, who did what, the principals' keys, and the proof of what is enforced."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from bootstrap.cli.access_log import app as log
from bootstrap.cli.options import JsonOption, print_json
from bootstrap.cli.tables import table
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.text.words import listed

if TYPE_CHECKING:
    from bootstrap.operations.access_keys import PrincipalServers
    from bootstrap.session.target import Target

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Show who may do what, and who did what; hand out and replace a principal's keys; test what is enforced.",
)
app.add_typer(log)
_WRAPS = ("MAY", "ENFORCES", "NOT", "WITHOUT A LOGIN", "CERTIFICATE")  # they may hold a filter's text, or a path
_TRINO = "Trino with `authentication: password`"
PrincipalArgument = Annotated[str, typer.Argument(help="As `access.principals` of the file names it.")]


@app.callback(invoke_without_command=True)
def access(context: typer.Context, as_json: JsonOption = False) -> None:
    """Show who may do what, and why, what each layer enforces of it, which ports have no login or no TLS, and whose
    certificate each other port has.
    """
    if context.invoked_subcommand is not None:
        return
    from bootstrap.operations import served
    from bootstrap.operations.doors import of_stack
    from bootstrap.session.target import find
    from lakehouse.access.explain import explain
    from lakehouse.access.layers import layers

    target = find(context.obj.file, context.obj.stack)
    lakehouse = target.lakehouse
    if context.obj.stack not in (None, *lakehouse.stacks):
        raise UsageError(f'{target.path.name} has no stack "{context.obj.stack}". It has {listed(lakehouse.stacks)}.')
    rows = explain(lakehouse)
    stacks = [context.obj.stack] if context.obj.stack else lakehouse.stacks
    enforced = {stack: layers(lakehouse, stack) for stack in stacks}
    open_ports = {stack: of_stack(replace(target, stack=stack)) for stack in stacks}
    having = {stack: served.of_stack(replace(target, stack=stack)) for stack in stacks}
    if as_json:
        shown = {stack: [asdict(each) for each in own] for stack, own in enforced.items()}
        reached = {stack: [asdict(each) for each in own] for stack, own in open_ports.items()}
        known = {stack: [asdict(each) for each in own] for stack, own in having.items()}
        print_json({"grants": [asdict(row) for row in rows], "layers": shown, "open": reached, "certificates": known})
        return
    granted = (tuple(asdict(row).values()) for row in rows)
    output.show(table(("PRINCIPAL", "MAY", "ON", "BECAUSE"), granted, _WRAPS), width=200)
    for stack, own in enforced.items():
        print(f"\nOn stacks.{stack}:")
        entries = (tuple(asdict(each).values()) for each in own)
        output.show(table(("LAYER", "ENFORCES", "NOT"), entries, _WRAPS), width=200)
        if doors := open_ports[stack]:
            print("\nPorts that anybody on their network may use without a login, or that have no TLS:")
            lines = ((each.port, each.address, each.gives or "nothing", _yes(each.tls)) for each in doors)
            output.show(table(("PORT", "AT", "WITHOUT A LOGIN", "TLS"), lines, _WRAPS), width=200)
        if having[stack]:
            print("\nThe certificates of ports with TLS:")
            rows_of = ((each.port, each.address, each.whose, _day(each.end)) for each in having[stack])
            output.show(table(("PORT", "AT", "CERTIFICATE", "UNTIL"), rows_of, _WRAPS), width=200)


@app.command()
def credentials(
    context: typer.Context,
    principal: PrincipalArgument,
    to: Annotated[Path | None, typer.Option(help="The file to write; by default one in the state folder.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the keys on the screen, and write no file.")] = False,
) -> None:
    """Write a principal's keys for the store, and what it shows Polaris, Nessie and Trino, to a file for you only."""
    from bootstrap.remote.user_keys import handed
    from lakehouse.runtimes.state import write_private

    at = _servers(context, principal)
    content = "\n".join(at.written(principal))
    if not content and at.untried(principal):
        raise UsageError(
            f"{principal} is `existing`: it keeps the credentials that it has, which the toolkit does not know. "
            f"`lakehouse access rotate {principal}` makes new ones here. The former ones end then, or on SeaweedFS by "
            f"`lakehouse access rotate {principal} --end-former`."
        )
    if not content:
        raise UsageError(
            f"The state folder has no keys of {principal}: a deploy or `lakehouse apply` makes them if its roles grant "
            f"files or tables. If they were lost, `lakehouse access rotate {principal}` makes new ones."
        )
    if lost := at.lost(principal):
        print(
            f"There are none for {listed(lost)}: a deploy or `lakehouse apply` makes them. If they were lost, "
            f"`lakehouse access rotate {principal}` makes new ones.",
            file=sys.stderr,
        )
    if show:
        output.reveal(content)
        return
    path = to or handed(at.target.local.state, principal)
    try:
        write_private(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Name another file with --to.") from None
    print(f"The keys of {principal} are in {path}.")
    if at.has_files(principal):
        print(f"For example: AWS_CONFIG_FILE={path} aws s3 ls")


@app.command()
def rotate(
    context: typer.Context,
    principal: Annotated[str | None, typer.Argument(help="As `access.principals` of the file names it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All principals that have keys.")] = False,
    end_former: Annotated[
        bool, typer.Option("--end-former", help="Make no keys; end those that the last rotation has replaced.")
    ] = False,
) -> None:
    """Give a principal new keys. The store's former ones work until `--end-former`, so no query is lost.

    Polaris has one pair for each principal: its former one gets no new token from then on. Whoever has a token can
    renew it until `--end-former`, which ends all tokens of the principal: its clients log in again. Trino has one
    password for each: the former one ends within two seconds, and queries that run go on. In a secure stack a
    principal's token for Nessie is replaced by the next deploy, which restarts Nessie.
    """
    if (principal is None) != every:
        raise UsageError("Name one principal, or give --all.")
    at = _servers(context, principal)
    found, lost = False, []
    for each in [principal] if principal else list(at.target.lakehouse.access.principals):
        for where in at.ended(each) if end_former else at.renewed(each):
            found = True
            if where.said:
                print(at.target.advice(where.said))
            else:
                lost.append(f"{each} is unknown to {where.server}")  # the others go on
    if principal and not found:
        raise UsageError(f"{principal} has no keys: a deploy or `lakehouse apply` makes them if its roles grant any.")
    if lost:
        raise LakehouseError(f"{', '.join(lost)}. A deploy or `lakehouse apply` makes what is missing.")


@app.command(name="test")
def try_calls(
    context: typer.Context,
    principal: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every call, not only those that are not as the file says.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Try at each server, with each principal's own keys, what the file allows and what it does not.

    At a store with users, by boto3: in each namespace's and table's folder, list, get, put and delete an object of the
    test. In Polaris and in a catalog of the store's, by PyIceberg: list, load, read, change, create and drop tables. At
    Nessie in a secure stack, and in a Trino that asks for passwords, the same; and in Trino look for what a filter or
    mask must hide. Nothing stays. Exit code 1 if one of them allows more or less than the file.
    """
    from bootstrap.operations.access_proof import tried

    at = _servers(context, principal)
    found = list(tried(at, principal))
    wrong = [each for each in found if each.allowed != each.wanted]
    rows = [
        (each.principal, each.call, each.on, each.at, each.by, _word(each.wanted), _word(each.allowed))
        for each in (found if every else wrong)
    ]
    headings = ("PRINCIPAL", "CALL", "ON", "AT", "BY", "FILE", "FOUND")
    if as_json:
        print_json([dict(zip(map(str.lower, headings), row, strict=True)) for row in rows])
    elif rows:
        output.show(table(headings, rows), width=200)
    if wrong:
        print(f"{len(wrong)} of {len(found)} calls were not answered as the file says.", file=sys.stderr)
        raise typer.Exit(1)
    untried = [each for each in at.target.lakehouse.access.principals if principal in (None, each) and at.untried(each)]
    if untried:
        why = "the toolkit does not have their credentials (`existing`)"
        print(f"Not tried: {listed(untried)}, as {why}.", file=sys.stderr)
    if not found and not as_json:
        print("No call was tried, so nothing is proven: `access` of the file has no principal to try.")
    elif not as_json:
        asked = " and ".join(dict.fromkeys(each.at for each in found))
        print(f"{len(found)} calls at {asked}, all answered as the file says. Nothing else was asked.")


def _servers(context: typer.Context, principal: str | None) -> PrincipalServers:
    """The stack's servers that know principals. Raises UsageError if there are none."""
    from bootstrap.operations.access_keys import PrincipalServers

    target: Target = context.obj.target()
    where = f"{target.path.name}: "
    if target.in_aws:
        raise UsageError(f"{where}stacks.{target.stack} is in AWS, where principals are IAM roles and have no keys.")
    if principal is not None and principal not in target.lakehouse.access.principals:
        known = listed(target.lakehouse.access.principals) or "none"
        raise UsageError(f'{where}access.principals has no "{principal}". It has {known}.')
    found = PrincipalServers.of(target)
    if found.none:
        raise UsageError(
            f"{where}stacks.{target.stack} has no {_store_with_users()}, no catalog of kind polaris, no secure one of "
            f"kind nessie, and no {_TRINO}."
        )
    return found


def _store_with_users() -> str:
    from lakehouse.kinds import STORES

    return f"store with users ({listed(word for word, each in STORES.items() if each.users)})"


def _day(end: float | None) -> str:
    return "not made yet" if end is None else f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d}"


def _yes(there: bool) -> str:
    return "yes" if there else "no"


def _word(allowed: bool) -> str:
    return "allowed" if allowed else "denied"
