"""``lakehouse branch`` and ``lakehouse tag``: of a whole catalog, or of one table with ``--table``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bootstrap.cli.options import JsonOption
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from bootstrap.catalogs.references import CatalogReferences, LiveReference, ReferenceKind, TableReferences

_SETTINGS = {"no_args_is_help": True, "pretty_exceptions_enable": False, "rich_markup_mode": None}
Name = Annotated[str, typer.Argument(help="Its name.")]
CatalogOption = Annotated[str | None, typer.Option("--catalog", help="Which catalog [default: the only one].")]
TableOption = Annotated[str | None, typer.Option("--table", metavar="CATALOG.NAMESPACE.TABLE", help="Of this table.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="The branch or tag it starts at; with --table: a snapshot.")
]
AllowDelete = Annotated[bool, typer.Option("--allow-destroy", help="Confirm: what only it holds is lost.")]


def _references(
    context: typer.Context, catalog: str | None, table: str | None, fix: str = "Use --table {catalog}.NS.TABLE"
) -> CatalogReferences | TableReferences:
    from bootstrap.catalogs import connect as open_catalog
    from bootstrap.catalogs.references import TableReferences, references_of
    from bootstrap.remote.errors import Refused
    from bootstrap.session.connect import connect

    target = context.obj.target()
    lakehouse, connections = connect(target.path, target.stack)
    if table is not None:
        catalog, _, table = table.partition(".")
    names = list(lakehouse.catalogs)
    if catalog is None and len(names) > 1:
        raise UsageError(f"which catalog? There are {', '.join(names)}: add --catalog NAME")
    name = catalog or names[0]
    if name not in names:
        raise UsageError(f'"{name}" is not one of the catalogs {", ".join(names)}')
    there = open_catalog(name, connections)
    if table is not None:
        return TableReferences(there, table)
    try:
        return references_of(there)
    except Refused:
        message = f'catalog "{name}" has no branches; only its tables do. {fix.format(catalog=name)}'
        raise UsageError(message) from None


def _create(
    references: CatalogReferences | TableReferences, name: str, kind: ReferenceKind, source: str | None
) -> None:
    from bootstrap.catalogs.references import TableReferences

    if isinstance(references, TableReferences):
        if source is not None and not source.isdigit():
            raise UsageError(f'"{source}" is not a snapshot id: use a number, as `$snapshots` shows it')
        made = references.create(name, kind, int(source) if source else None)
    else:
        made = references.create(name, kind, source)
    print(f"{made.kind} {made.name} at {made.points_to}")


def _delete(
    references: CatalogReferences | TableReferences, name: str, kind: ReferenceKind, allow_destroy: bool
) -> None:
    if not allow_destroy:
        raise UsageError(f"what only {kind} {name} holds would be lost. Add --allow-destroy to confirm")
    references.delete(name, kind)
    print(f"{kind} {name} deleted")


def _show(found: Iterable[LiveReference], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        for each in found:
            print(f"{each.name}\t{each.points_to}")


def _group(kind: ReferenceKind, many: str, made: str, lost: str) -> typer.Typer:
    """``list``, ``create`` and ``delete``, the same for both kinds; ``made`` and ``lost`` describe the last two."""
    group = typer.Typer(**_SETTINGS, help=f"{many.capitalize()} of a catalog, or of a table.")  # type: ignore[arg-type]

    @group.command("list", help="List them, with what they point to.")
    def list_(
        context: typer.Context, catalog: CatalogOption = None, table: TableOption = None, as_json: JsonOption = False
    ) -> None:
        found = _references(context, catalog, table).list()
        _show([each for each in found if each.kind == kind], as_json)

    @group.command("create", help=made)
    def create(
        context: typer.Context,
        name: Name,
        source: FromOption = None,
        catalog: CatalogOption = None,
        table: TableOption = None,
    ) -> None:
        _create(_references(context, catalog, table), name, kind, source)

    @group.command("delete", help=lost)
    def delete(
        context: typer.Context,
        name: Name,
        catalog: CatalogOption = None,
        table: TableOption = None,
        allow_destroy: AllowDelete = False,
    ) -> None:
        _delete(_references(context, catalog, table), name, kind, allow_destroy)

    return group


branches = _group(
    "branch",
    "branches",
    "Create a branch; what is written on it is not visible elsewhere until it is merged.",
    "Delete a branch, and what was only there.",
)
tags = _group(
    "tag",
    "tags",
    "Name a state of the data; it is kept as long as the tag exists.",
    "Delete a tag; what nothing else refers to may then be cleaned up.",
)


@branches.command("merge")
def merge_branch(
    context: typer.Context,
    name: Name,
    into: Annotated[str | None, typer.Option("--into", help="The target [default: the catalog's own branch].")] = None,
    catalog: CatalogOption = None,
) -> None:
    """Merge everything that changed on a branch into another: all tables in one commit, or none."""
    from bootstrap.catalogs.references import CatalogReferences

    fix = "An engine merges a table's branch into another: Spark with `CALL {catalog}.system.fast_forward(...)`"
    references = _references(context, catalog, None, fix)
    assert isinstance(references, CatalogReferences)
    merged = references.merge(name, into)
    if merged.applied:
        print(f"merged {name}: {', '.join(merged.changed)} at {merged.points_to}")
    else:
        print(f"nothing to merge: {name} has nothing new")
