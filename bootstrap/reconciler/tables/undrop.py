"""``lakehouse undrop``: bring back a table or column that somebody removed, as it was before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bootstrap.catalogs.base import LiveCatalog
from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.reconciler.tables import former, lost
from bootstrap.reconciler.tables.homes import everyone
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Exists, Missing
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec.model import Lakehouse


@dataclass(frozen=True)
class Undrop:
    """What would come back, as text, and what brings it back."""

    what: str
    rest: str
    bring_back: Callable[[], None]


def undrop(lakehouse: Lakehouse, world: World, name: str) -> Undrop:
    """How CATALOG.NAMESPACE.TABLE or CATALOG.NAMESPACE.TABLE.COLUMN comes back. Nothing is changed yet.

    Raises UsageError if the name is not one of these or exists, LakehouseError if there is nothing to bring back or if
    another live table now uses its folder.
    """
    catalog_name, _, full = name.partition(".")
    if catalog_name not in lakehouse.catalogs or "." not in full:
        known = ", ".join(lakehouse.catalogs)
        raise UsageError(
            f'"{name}" is neither CATALOG.NAMESPACE.TABLE nor CATALOG.NAMESPACE.TABLE.COLUMN. The catalogs are {known}'
        )
    catalog = world.catalog(catalog_name)
    table, _, column = full.rpartition(".")
    facts = catalog.facts({full, table}, _quiet)
    if full in facts.tables.keys() | facts.others | facts.views.keys() | facts.other_views:
        raise UsageError(f"{name} exists: there is nothing to bring back. Name a table or column that is gone")
    if table in facts.tables:
        return _column(catalog, name, table, column, facts.tables[table])
    return _table(lakehouse, world, catalog, name, facts)


def _column(catalog: LiveCatalog, name: str, table: str, column: str, have: TableFacts) -> Undrop:
    if any(field.name == column for field in have.schema.fields):
        raise UsageError(f"{name} exists: there is nothing to bring back. Name a table or column that is gone")
    field = former.find(have, column)
    if field is None:
        raise LakehouseError(f"{table} never had a column {column}, so there is nothing to bring back")
    now = next((each.name for each in have.schema.fields if each.id == field.id), None)
    if now is not None:
        raise LakehouseError(f"{name} exists under the name {now}. Write `renamed_from: {now}` in the file, and apply")
    rest = "with its values; rows that were written in the meantime have none"
    return Undrop(f"column {name}", rest, lambda: catalog.commit_table(table, former.revival(have, field)))


def _table(
    lakehouse: Lakehouse, world: World, catalog: LiveCatalog, name: str, facts: CatalogFacts
) -> Undrop:  # fmt: skip
    catalog_name, _, full = name.partition(".")
    folders, files = world.folders(), world.files()
    namespace, _, short = full.rpartition(".")
    content = lakehouse.catalogs[catalog_name]
    of = content.namespaces[namespace].tables.get(short) if namespace in content.namespaces else None
    folder = of.location if of and of.location is not None else f"{content.location}/{full.replace('.', '/')}"
    gone = lost.find(catalog, {full: str(folder)}, (), folders, files).get(full)
    if gone is None:
        raise LakehouseError(
            f"the catalog {catalog_name} knows of no table {full} that it lost. `lakehouse plan` shows what is there"
        )
    there = facts.tables.keys() | facts.others
    if gone.renamed_to in there:
        raise LakehouseError(f"{name}: {lost.text(catalog_name, full, gone, None, there)}")
    try:
        metadata = files.read(gone.metadata_location)
    except Missing:
        raise LakehouseError(f"{name}: {lost.text(catalog_name, full, gone, None, there)}") from None
    read = {each: world.catalog(each).facts((), _quiet) for each in lakehouse.catalogs}
    known = claims.live(everyone(world, read))
    for claim in claims.of_table(name, catalog_name, TableFacts(gone.metadata_location, compact(metadata))):
        if other := known.clash(claim):
            raise LakehouseError(f"{name} is not brought back: {claims.refusal(claim, other)}")
    rest = f"with {lost.rows(metadata)}"
    return Undrop(f"table {name}", rest, lambda: _register(catalog, facts, full, gone.metadata_location))


def _register(catalog: LiveCatalog, facts: CatalogFacts, full: str, metadata_location: str) -> None:
    parts = full.split(".")[:-1]
    for namespace in (".".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
        if namespace not in facts.namespaces:
            with suppress(Exists):
                catalog.create_namespace(namespace, {})
    catalog.register_table(full, metadata_location)


def _quiet(count: int, of: int) -> None:
    pass
