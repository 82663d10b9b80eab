"""What the file wants, in the form that facts have: full names, parsed types, resolved locations. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lakehouse.iceberg import defaults, transforms, types
from lakehouse.iceberg.transforms import SortTerm, Term
from lakehouse.iceberg.types import NO_ID, Field, Struct
from lakehouse.spec import model

#: Set on an object in its catalog once the file has called it deletable: the second key to destroying it. It must
#: outlive the object's entry in the file. Columns are listed by name in a property of their table.
DELETABLE = "lakehouse.deletable"
DELETABLE_COLUMNS = "lakehouse.deletable-columns"
#: Set on a table whose seed is loaded: the digest of the file.
SEED = "lakehouse.seed"
#: Set with it: the snapshot that added the rows and the number of its data files, as ``ID COUNT``, so that they can be
#: distinguished from other rows.
SEED_FILES = "lakehouse.seed-files"
#: Set on a table or namespace: the properties that the bootstrap has set, with their values, as JSON.
PROPERTIES = "lakehouse.properties"
#: The property that engines show as a table's comment.
COMMENT = "comment"


@dataclass(frozen=True)
class WantedTable:
    """A table as the file describes it; ``at`` is its path in the file."""

    name: str
    schema: Struct
    renamed_from: dict[str, str]
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


@dataclass(frozen=True)
class WantedNamespace:
    """A namespace as the file describes it. ``implied``: only a nested one names it, so it has no properties."""

    name: str
    properties: dict[str, str]
    deletable: bool
    implied: bool = False


@dataclass(frozen=True)
class WantedCatalog:
    """A catalog's contents, parents before children; names are dotted (``bronze.minute_aggs``)."""

    exclusive: bool
    namespaces: dict[str, WantedNamespace]
    tables: dict[str, WantedTable] = field(default_factory=dict)

    def opens(self, name: str) -> bool:
        """Whether the parent of the table or namespace is the second key: a deletable one in an exclusive catalog.

        The parent is the key only for what is directly in it.
        """
        enclosing = self.namespaces.get(name.rpartition(".")[0])
        return self.exclusive and enclosing is not None and enclosing.deletable


def catalog(name: str, spec: model.Catalog) -> WantedCatalog:
    """The contents that the file wants in one catalog."""
    namespaces: dict[str, WantedNamespace] = {}
    for full, namespace in spec.namespaces.items():
        for parent in _parents(full):
            namespaces.setdefault(parent, WantedNamespace(parent, {}, False, implied=True))
        properties = {**namespace.properties, **({DELETABLE: "true"} if namespace.deletable else {})}
        namespaces[full] = WantedNamespace(full, properties, namespace.deletable)
    ordered = dict(sorted(namespaces.items(), key=lambda item: item[0].count(".")))
    tables = {table.name: table for full in spec.namespaces for table in _tables(name, spec, full)}
    return WantedCatalog(spec.managed == "exclusive", ordered, tables)


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:depth]) for depth in range(1, len(parts)))


def _tables(catalog_name: str, spec: model.Catalog, namespace: str) -> Iterator[WantedTable]:
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
                        types.parse(of.type),
                        of.required,
                        of.doc,
                        None if of.initial_default is None else defaults.value(of.type, of.initial_default),
                        None if of.write_default is None else defaults.value(of.type, of.write_default),
                    )
                    for column, of in table.columns.items()
                )
            ),
            renamed_from={column: of.renamed_from for column, of in table.columns.items() if of.renamed_from},
            partition_by=tuple(transforms.partition_field(text) for text in table.partition_by),
            sort_by=tuple(transforms.sort_field(text) for text in table.sort_by),
            identifier=tuple(table.identifier),
            properties=properties,
            format_version=table.format_version,
            location=table.location or f"{spec.location}/{namespace.replace('.', '/')}/{name}",
            fixed_location=table.location is not None,
            deletable=table.deletable,
            at=("catalogs", catalog_name, "namespaces", namespace, "tables", name),
            seed=table.seed,
        )
