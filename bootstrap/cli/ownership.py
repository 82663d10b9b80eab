"""``lakehouse destroy`` and ``adopt``: deleting a lakehouse's data, and changing its owner."""

from __future__ import annotations

from typing import Annotated

import typer

from lakehouse.errors import UsageError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def destroy(
    context: typer.Context,
    data: Annotated[
        bool, typer.Option("--data", help="Confirm: delete tables, catalog state, logs and secrets.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the lakehouse's name.")] = False,
) -> None:
    """Delete the data of a lakehouse that is down. `cdktf destroy` stops a lakehouse and keeps its data."""
    from bootstrap.operations.destroy import destroy_data

    target = context.obj.target()
    if not data:
        raise UsageError(f"`cdktf destroy {target.stack}` stops the lakehouse; to delete its data, add --data.")
    freed = destroy_data(target, yes=yes)
    print(f"{target.local.state.root} is deleted: {freed / 1e6:.1f} MB freed.")


@app.command()
def adopt(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the lakehouse's name.")] = False,
) -> None:
    """Take over the state folder of a lakehouse that was renamed, or whose mark is damaged or missing."""
    from bootstrap.operations.adopt import adopt as take

    print(take(context.obj.target(), yes=yes))
