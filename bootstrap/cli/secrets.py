"""``lakehouse secret``: the credentials of a stack on this machine; never their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bootstrap.session.target import Target
    from lakehouse.runtimes.renewal import Renewals

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="List the stack's secrets, pairs and certificates, or replace one at the next deploy.",
)


@app.command(name="list")
def listing(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False
) -> None:
    """Show which credentials the stack has, who uses them, and which the next deploy replaces. No value is shown."""
    from lakehouse.runtimes import credentials, generations
    from lakehouse.runtimes.certificates import is_given

    target = _target(context)
    local = target.local
    known = credentials.known(local.everything)
    recorded = generations.read(local.state)
    planned = generations.plan(local.state, local.everything, local.credentials, local.given)
    chosen = credentials.chosen(local.credentials, known)
    content = [
        {
            "name": name,
            "kind": each.kind,
            "chosen": any(secret.secret in chosen for secret in each.secrets)
            or (local.given is not None and each.certificate is not None and is_given(each.certificate)),
            "replaced": recorded.get(name, generations.NONE).now,
            "due": planned.generations.get(name, 0) > recorded.get(name, generations.NONE).now,
            "services": list(each.users),
        }
        for name, each in known.items()
    ]
    if as_json:
        print(json.dumps(content, indent=2))
        return
    from bootstrap.cli.tables import table

    rows = []
    for row, each in zip(content, known.values(), strict=True):
        often = f"{row['replaced']} times" + (", due" if row["due"] else "")
        made = "the shell" if any(secret.of_aws for secret in each.secrets) else "made"
        rows.append((each.name, each.kind, "the file" if row["chosen"] else made, often, ", ".join(each.users)))
    headings = ("credential", "kind", "from", "replaced", "used by")
    output.show(table(headings, rows, wraps=("used by",)), width=200)


@app.command()
def rotate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The credential, as `lakehouse secret list` shows it.")],
) -> None:
    """Make the next deploy replace a credential. It restarts only those that use it.

    A certificate goes without a restart to services that can take it while they run.
    Nothing changes until then: `lakehouse diff` shows what the deploy will do.
    """
    from lakehouse.runtimes.generations import rotate as note
    from lakehouse.runtimes.generations import used

    target = _target(context)
    local = target.local
    found = note(local.state, local.everything, name, local.credentials, local.given)
    users = [each for each in local.everything if each.name in found.users]
    ways = {
        "restarts": [each.name for each in users if name in used(each)],
        "gives it without a restart to": [each.name for each in users if name not in used(each)],
    }
    does = " and ".join(f"{how} {', '.join(services)}" for how, services in ways.items() if services)
    said = f"{found.name} is replaced by the next `lakehouse deploy`, which {does}. `lakehouse diff` shows it."
    print(target.advice(said))


@app.command()
def renew(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also certificates that are not due yet.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Restart services that can take a renewed certificate in no other way.")
    ] = False,
) -> None:
    """Renew the certificates that end within 30 days, without a deploy. Exit code 1 if one that is due is left.

    Services that can take a renewed certificate go on; without --restart, the other certificates are left.
    """
    from lakehouse.runtimes import lock, renewal
    from lakehouse.runtimes.state import terraform_state

    target = _target(context)
    local = target.local
    with lock.held(terraform_state(target.path, target.stack)):
        found = renewal.renew(
            local.state, local.everything, local.runtime, local.given, everything=everything, restarting=restart
        )
        for line in _said(found):
            print(line)
        if restart:
            for name, took in renewal.restart(local.state, local.everything, found.waiting, local.runtime).items():
                print(f"{name} is ready after {took:.1f} s")
    if waits := () if restart else found.waiting:
        print(f"Renewed, but not served before a restart: {', '.join(each.name for each in waits)}.")
    if found.left:
        print(f"Due, and left: {', '.join(found.left)}.")
    if found.left or waits:
        how = "`lakehouse deploy`" if restart else "`lakehouse secret renew --restart` or `lakehouse deploy`"
        print(target.advice(f"{how} does what is left. The authority and keys that sign tokens need a deploy."))
        raise typer.Exit(1)


def _said(found: Renewals) -> Iterator[str]:
    if not (found.renewed or found.left or found.taken or found.waiting):
        yield "No certificate is due."
    yield from (f"{each} is renewed" for each in found.renewed)
    yield from (f"{each} has a renewed certificate, and goes on" for each in found.taken)


def _target(context: typer.Context) -> Target:
    target: Target = context.obj.target()
    if target.in_aws:
        raise UsageError(
            f"{target.path.name}: stacks.{target.stack} is in AWS, whose Secrets Manager keeps and rotates its secrets."
        )
    return target
