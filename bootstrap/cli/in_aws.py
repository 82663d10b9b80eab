"""What commands about a running stack do for a stack in AWS, or why they do nothing there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from bootstrap import output
from bootstrap.cli.options import print_json
from lakehouse.errors import LakehouseError, UsageError

if TYPE_CHECKING:
    from bootstrap.maintenance.managed import MaintainedBy
    from bootstrap.session.target import Target


def refuse(target: Target, command: str, why: str) -> None:
    """Raises UsageError if the stack is in AWS, where the command has no meaning. ``why`` ends with what to use."""
    if target.in_aws:
        raise UsageError(f"stacks.{target.stack} is in AWS, where `{command}` has no meaning. {why}")


def open_databases(target: Target) -> None:
    """Give the stack's databases to IAM in an account where Lake Formation has them; says which, as they were shut."""
    from bootstrap.session import aws, lake_formation

    caller = aws.caller(target.lakehouse, target.stack)
    with aws.plainly(f"stacks.{target.stack} is in AWS", "to look at Lake Formation", caller.own.region):
        given = lake_formation.give_to_iam(target.lakehouse, caller.own)
    if given:
        print(f"Lake Formation had {len(given)} databases, which are IAM's now: {', '.join(given)}", file=sys.stderr)


def maintains(target: Target) -> MaintainedBy | None:
    """What maintains the stack's tables by itself; None if nothing does."""
    from bootstrap.maintenance import managed
    from bootstrap.session import aws

    return managed.service(target, aws.caller(target.lakehouse, target.stack).own)


def maintain(target: Target, by: MaintainedBy, names: Sequence[str], *, plan: bool, as_json: bool) -> int:
    """Set what AWS does to the tables by itself. Returns the exit code, as `maintain` has it."""
    from bootstrap.maintenance import managed
    from bootstrap.session import aws

    caller = aws.caller(target.lakehouse, target.stack)
    with aws.plainly(f"stacks.{target.stack} is in AWS", "to look at the maintenance of tables", caller.own.region):
        found = list(managed.settings(target, caller.own, by, names))
    failed = [f"refused: {each.where}: {each.kind}: {each.refused}" for each in found if each.refused]
    if not plan:
        for each in (one for one in found if one.differs):
            try:
                by.put(each)
            except LakehouseError as error:
                failed.append(f"failed: {error}")
    if as_json:
        print_json([{**asdict(each), "differs": each.differs} for each in found])
    else:
        print("\n".join(managed.text(found)) or f"{target.path.name}: no table has a policy: add `maintenance`.")
    for line in failed:
        print(line, file=sys.stderr)
    if failed:
        return 1
    return 2 if plan and any(each.differs for each in found) else 0


def status(target: Target, *, as_json: bool) -> None:
    """Each part of the stack, as the account shows it. Exit code 1 if one is missing."""
    from bootstrap.session.aws_parts import UNKNOWN, AwsParts

    account = AwsParts.of(target)
    parts = list(account.parts())
    well = all(each.well for each in parts)
    if as_json:
        found = {"account": account.own.account, "caller": account.caller, "parts": [asdict(each) for each in parts]}
        print_json({"stack": target.stack, "healthy": well, **found})
    else:
        _table(("PART", "NAME", "STATE"), [(each.kind, each.name, each.state) for each in parts])
        whose = f", principal {account.principal}" if account.principal else ""
        print(f"\nAccount {account.own.account} in {account.own.region}, as {account.caller}{whose}.")
        if hidden := sum(each.state == UNKNOWN for each in parts):
            print(f"{hidden} of {len(parts)} are not shown to you: your role may not look at them.")
        if not well:
            print(target.advice("`lakehouse deploy` makes what is missing."))
    if not well:
        raise typer.Exit(1)


def endpoints(target: Target, *, as_json: bool, tool: str | None) -> None:
    """The addresses of the services that the stack uses."""
    from bootstrap.operations import aws_endpoints
    from bootstrap.session.aws_parts import AwsParts

    if tool is not None:
        refuse(target, "endpoints --for", "Tools have their own ways to Glue and Athena; docs/aws.md names the places.")
    found = aws_endpoints.endpoints(AwsParts.of(target))
    if as_json:
        print_json([asdict(each) for each in found])
        return
    _table(("NAME", "ADDRESS", "WHAT IT IS"), [(each.name, each.external, each.meaning) for each in found])


def logs(target: Target, job: str | None, *, follow: bool) -> None:
    """The log of a job."""
    from bootstrap.jobs import past

    past.show(target, job, sys.stdout, sys.stderr, follow=follow)


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    output.show(table, width=240)
