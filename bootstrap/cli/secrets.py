"""``lakehouse secret``: the credentials of a stack on this machine; never their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap import output
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from bootstrap.session.target import Target

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

    target = _target(context)
    local = target.local
    known = credentials.known(local.everything)
    recorded = generations.read(local.state)
    planned = generations.plan(local.state, local.everything, local.credentials)
    chosen = credentials.chosen(local.credentials, known)
    content = [
        {
            "name": name,
            "kind": each.kind,
            "chosen": any(secret.secret in chosen for secret in each.secrets),
            "replaced": recorded.get(name, generations.NONE).now,
            "due": planned.generations.get(name, 0) > recorded.get(name, generations.NONE).now,
            "services": list(each.users),
        }
        for name, each in known.items()
    ]
    if as_json:
        print(json.dumps(content, indent=2))
        return
    from rich.table import Table

    table = Table("credential", "kind", "from", "replaced", "used by", box=None, pad_edge=False)
    for row, each in zip(content, known.values(), strict=True):
        often = f"{row['replaced']} times" + (", due" if row["due"] else "")
        made = "the shell" if any(secret.of_aws for secret in each.secrets) else "made"
        table.add_row(each.name, each.kind, "the file" if row["chosen"] else made, often, ", ".join(each.users))
    output.console().print(table)


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
    found = note(local.state, local.everything, name, local.credentials)
    users = [each for each in local.everything if each.name in found.users]
    ways = {
        "restarts": [each.name for each in users if name in used(each)],
        "gives it without a restart to": [each.name for each in users if name not in used(each)],
    }
    does = " and ".join(f"{how} {', '.join(services)}" for how, services in ways.items() if services)
    said = f"{found.name} is replaced by the next `lakehouse deploy`, which {does}. `lakehouse diff` shows it."
    print(target.advice(said))


def _target(context: typer.Context) -> Target:
    target: Target = context.obj.target()
    if target.in_aws:
        raise UsageError(
            f"{target.path.name}: stacks.{target.stack} is in AWS, whose Secrets Manager keeps and rotates its secrets."
        )
    return target
