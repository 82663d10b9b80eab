"""``lakehouse undrop`` and ``rollback``: what the lakehouse itself still has, as it was before.

What it no longer has comes from a backup: ``lakehouse backup restore``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from bootstrap.reconciler.world import World
    from lakehouse.spec import Lakehouse

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

OnlyPlan = Annotated[
    bool, typer.Option("--plan", help="Only show what would be done; exit code 2 if anything, as for `plan`.")
]


@app.command()
def undrop(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="CATALOG.NAMESPACE.TABLE, or a table's column after it.")],
    plan: OnlyPlan = False,
) -> None:
    """Bring back a table that was dropped, or a column of a table, with its rows and its history."""
    from bootstrap.reconciler.tables.undrop import undrop as find

    found = find(*_connect(context), name)
    if plan:
        print(f"{found.what} would come back, {found.rest}")
        raise typer.Exit(2)
    found.bring_back()
    print(f"{found.what} is back, {found.rest}")


@app.command()
def rollback(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="CATALOG.NAMESPACE.TABLE", help="The table.")],
    to: Annotated[
        str, typer.Option("--to", metavar="SNAPSHOT", help="A snapshot's id, or a time such as 2026-11-27T09:00Z.")
    ],
    plan: OnlyPlan = False,
) -> None:
    """Give a table the rows that it had at a former snapshot. Later snapshots stay in its history."""
    from bootstrap.reconciler.tables.rollback import rollback as planned

    goal = _goal(to)
    lakehouse, world = _connect(context)
    catalog_name, _, table = name.partition(".")
    if catalog_name not in lakehouse.catalogs:
        raise UsageError(f'"{name}" is not CATALOG.NAMESPACE.TABLE. The catalogs are {", ".join(lakehouse.catalogs)}')
    catalog = world.catalog(catalog_name)
    facts = catalog.read({table}).tables.get(table)
    if facts is None:
        raise UsageError(f"there is no table {name}. `lakehouse undrop {name}` brings back one that was dropped")
    found = planned(name, world.files().read(facts.metadata_location), goal)
    if found is None:
        print(f"{name} is at that snapshot: nothing to do")
        return
    print(found.text)
    if plan:
        raise typer.Exit(2)
    catalog.commit_table(table, found.commit)


def _goal(text: str) -> int | datetime:
    if text.isdecimal():
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f'"{text}" is neither the id of a snapshot nor a time such as 2026-11-27T09:00Z') from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _connect(context: typer.Context) -> tuple[Lakehouse, World]:
    from bootstrap.reconciler.world import World
    from bootstrap.session.connect import connect

    target = context.obj.target()
    lakehouse, connections = connect(target.path, target.stack)
    return lakehouse, World.of(connections)
