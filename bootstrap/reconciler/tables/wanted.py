"""Tables as the file wants them, in the form that facts have: full names, resolved locations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.reconciler.marks import DELETABLE, DELETABLE_COLUMNS
from lakehouse.iceberg import defaults
from lakehouse.iceberg.transforms import SortTerm, Term
from lakehouse.iceberg.types import NO_ID, Field, Struct
from lakehouse.spec import model

#: The property that engines show as a table's comment.
COMMENT = "comment"


@dataclass(frozen=True)
class WantedTable:
    """A table as the file describes it; ``at`` is its path in the file."""

    name: str
    schema: Struct
    renamed_from: dict[str, str]  # by the path of the column or field: {"place.town": "city"}
    partition_by: tuple[Term, ...]
    sort_by: tuple[SortTerm, ...]
    identifier: tuple[str, ...]
    properties: dict[str, str]
    format_version: int
    location: str
    fixed_location: bool  # the file itself names the location
    deletable: bool
    at: tuple[str, ...]
    seed: str | None = None  # a file next to the lakehouse's own


def of_catalog(catalog: str, spec: model.Catalog) -> dict[str, WantedTable]:
    """The tables of a catalog by their dotted names (``bronze.minute_aggs``)."""
    return {table.name: table for namespace in spec.namespaces for table in _inside(catalog, spec, namespace)}


def _inside(catalog: str, spec: model.Catalog, namespace: str) -> Iterator[WantedTable]:
    for name, table in spec.namespaces[namespace].tables.items():
        properties = dict(table.properties)
        if table.doc is not None:
            properties[COMMENT] = table.doc
        if table.deletable:
            properties[DELETABLE] = "true"
        if columns := [column for column, of in table.columns.items() if of.deletable]:
            properties[DELETABLE_COLUMNS] = ",".join(sorted(columns))
        yield WantedTable(
            name=f"{namespace}.{name}",
            schema=Struct(
                tuple(
                    Field(
                        NO_ID,
                        column,
                        of.type.parsed,
                        of.required,
                        of.doc,
                        None if of.initial_default is None else defaults.value(of.type, of.initial_default),
                        None if of.write_default is None else defaults.value(of.type, of.write_default),
                    )
                    for column, of in table.columns.items()
                )
            ),
            renamed_from=dict(_former(table)),
            partition_by=tuple(field.term for field in table.partition_by),
            sort_by=tuple(field.sort for field in table.sort_by),
            identifier=tuple(table.identifier),
            properties=properties,
            format_version=table.format_version,
            location=table.location or f"{spec.location}/{namespace.replace('.', '/')}/{name}",
            fixed_location=table.location is not None,
            deletable=table.deletable,
            at=("catalogs", catalog, "namespaces", namespace, "tables", name),
            seed=table.seed,
        )


def _former(table: model.Table) -> Iterator[tuple[str, str]]:
    """The former names of columns and of fields in them, by their paths."""
    for column, of in table.columns.items():
        if of.renamed_from is not None:
            yield column, of.renamed_from
        yield from ((f"{column}.{path}", former) for path, former in of.type.former.items())
