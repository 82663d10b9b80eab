"""``lakehouse aws``: what only stacks in AWS have; :data:`app` is mounted into the ``lakehouse`` program."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from lakehouse.errors import UsageError
from lakehouse.text.words import listed

if TYPE_CHECKING:
    from bootstrap.session.target import Target

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Work on a stack in AWS beyond what other commands do.",
)


@app.callback()
def aws() -> None:
    """Work on a stack in AWS beyond what other commands do."""


@app.command()
def prepare(context: typer.Context) -> None:
    """Make what must exist before the first deploy: the bucket of Terraform's state, and GitHub's OIDC provider."""
    from bootstrap.operations.prepare import prepare as preparing

    target = _target(context)
    for line in preparing(target.lakehouse, target.stack):
        print(line)


def _target(context: typer.Context) -> Target:
    """The stack that is named, or else the file's only one in AWS."""
    from lakehouse.spec import AwsStack

    found: Target = context.obj.target()
    if found.in_aws:
        return found
    there = [name for name, each in found.lakehouse.stacks.items() if isinstance(each, AwsStack)]
    if context.obj.stack is None and len(there) == 1:
        return replace(found, stack=there[0])
    named = f"stacks.{context.obj.stack} is not in AWS" if context.obj.stack else "it is about a stack in AWS"
    fix = f"Name one with --stack: {listed(there)}" if there else f"{found.path.name} has none"
    raise UsageError(f"{named}. {fix}")
