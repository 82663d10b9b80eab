"""``lakehouse undrop``: bring back a table or column that somebody removed, as it was before."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.catalogs.base import Gone, LiveCatalog
from bootstrap.iceberg import claims
from bootstrap.iceberg.metadata import CatalogFacts, TableFacts, compact
from bootstrap.reconciler.tables import former, lost
from bootstrap.reconciler.tables.homes import everyone
from bootstrap.reconciler.tables.present import replaceable
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import Exists
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

    Raises UsageError if the name is not one of these, or if what has it now is more than an empty table; LakehouseError
    if there is nothing to bring back or if another live table now uses its folder.
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
    if full in facts.others | facts.views.keys() | facts.other_views:
        raise UsageError(f"{name} exists: there is nothing to bring back. Name a table or column that is gone")
    if table in facts.tables and full not in facts.tables:
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


def _table(lakehouse: Lakehouse, world: World, catalog: LiveCatalog, name: str, facts: CatalogFacts) -> Undrop:
    catalog_name, _, full = name.partition(".")
    files, live, there = world.files(), facts.tables.get(full), facts.tables.keys() | facts.others
    gone, metadata = _former(lakehouse, world, catalog, name, live, there)
    if gone is None:
        if live is not None:
            raise UsageError(f"{name} exists: there is nothing to bring back. Name a table or column that is gone")
        raise LakehouseError(
            f"the catalog {catalog_name} knows of no table {full} that it lost. `lakehouse plan` shows what is there"
        )
    if metadata is None or gone.renamed_to in there:
        raise LakehouseError(f"{name}: {lost.text(catalog_name, full, gone, metadata, there)}")
    rest = f"with {lost.rows(metadata)}"
    if live is not None:
        now = files.read(live.metadata_location)
        if not replaceable(now):
            raise UsageError(
                f"{name} exists, with {lost.rows(now)}. The table that had the name before was {gone.how}; it held "
                f"{lost.rows(metadata)}. To bring that one back, give the one that is there another name: "
                f"ALTER TABLE {name} RENAME TO {name}_2 in an engine. Then repeat this command"
            )
        rest += ", instead of the empty table that had its name"
    read = {each: world.catalog(each).facts((), _quiet) for each in lakehouse.catalogs}
    of = read[catalog_name]
    read[catalog_name] = replace(of, tables={each: table for each, table in of.tables.items() if each != full})
    known = claims.live(everyone(world, read))
    if other := claims.shared(catalog_name, full, TableFacts(gone.metadata_location, compact(metadata)), known):
        raise LakehouseError(f"{name} is not brought back: {other}. Copy or drop one of the two first")

    def bring_back() -> None:
        if live is not None:
            catalog.drop_table(full, live.uuid, purge=False)
        _register(catalog, facts, full, gone.metadata_location)

    return Undrop(f"table {name}", rest, bring_back)


def _former(
    lakehouse: Lakehouse,
    world: World,
    catalog: LiveCatalog,
    name: str,
    live: TableFacts | None,
    there: Collection[str],
) -> tuple[Gone | None, dict[str, Any] | None]:
    """The last table of that name that had rows and lives nowhere now; if there is none, the last one at all.

    After a table was dropped, a deploy makes an empty one in its place. That one may be gone again too.
    """
    catalog_name, _, full = name.partition(".")
    namespace, _, short = full.rpartition(".")
    content = lakehouse.catalogs[catalog_name]
    of = content.namespaces[namespace].tables.get(short) if namespace in content.namespaces else None
    folder = of.location if of and of.location is not None else f"{content.location}/{full.replace('.', '/')}"
    last: tuple[Gone | None, dict[str, Any] | None] = (None, None)
    for gone in lost.formerly(catalog, full, str(folder), world.folders(), world.files()):
        metadata = lost.held(world.files(), gone.metadata_location)
        if live is not None and metadata is not None and metadata["table-uuid"] == live.uuid:
            continue  # it was renamed, and renamed back
        if metadata is not None and gone.renamed_to not in there and not replaceable(metadata):
            return gone, metadata
        last = last if last[0] else (gone, metadata)
    return last


def _register(catalog: LiveCatalog, facts: CatalogFacts, full: str, metadata_location: str) -> None:
    parts = full.split(".")[:-1]
    for namespace in (".".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
        if namespace not in facts.namespaces:
            with suppress(Exists):
                catalog.create_namespace(namespace, {})
    catalog.register_table(full, metadata_location)


def _quiet(count: int, of: int) -> None:
    pass
