"""``lakehouse adopt``: changing the owner of a state folder."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def adopt(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the lakehouse's name.")] = False,
) -> None:
    """Take over the state folder of a lakehouse that was renamed, or whose mark is damaged or missing."""
    from bootstrap.operations.adopt import adopt as take

    print(take(context.obj.target(), yes=yes))
