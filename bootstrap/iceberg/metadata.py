"""The live state: plain values, read from Iceberg's table metadata and the store.

https://iceberg.apache.org/spec/#table-metadata-fields
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bootstrap.iceberg.layout import PartitionSpec, SortOrder, order_from_json, spec_from_json
from bootstrap.iceberg.schema import struct_from_json
from bootstrap.iceberg.view import ViewFacts
from lakehouse.iceberg.types import Struct
from lakehouse.kinds import CATALOGS
from lakehouse.spec.claims import Register
from lakehouse.spec.kinds import Limits

#: What a plan reads. The rest of the metadata (snapshots, logs, statistics) can be a thousand times larger.
_KEPT = (
    "format-version",
    "table-uuid",
    "location",
    "last-column-id",
    "schemas",
    "current-schema-id",
    "partition-specs",
    "default-spec-id",
    "last-partition-id",
    "sort-orders",
    "default-sort-order-id",
    "properties",
    "refs",
    "current-snapshot-id",
)
#: Beginnings of properties that catalogs write for themselves: they change with every load.
VOLATILE = tuple(kind.volatile for kind in CATALOGS.values() if kind.volatile)


def compact(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Table metadata without the parts that no plan reads. Older keys of version 1 get the newer form."""
    kept = {key: metadata[key] for key in _KEPT if key in metadata}
    kept["properties"] = {k: v for k, v in kept.get("properties", {}).items() if not k.startswith(VOLATILE)}
    if "schemas" not in kept:
        kept["schemas"] = [{"schema-id": 0, **metadata["schema"]}]
        kept["current-schema-id"] = kept["schemas"][0]["schema-id"]
    if "partition-specs" not in kept:
        kept["partition-specs"] = [{"spec-id": 0, "fields": metadata.get("partition-spec", [])}]
        kept["default-spec-id"] = 0
    kept.setdefault("sort-orders", [{"order-id": 0, "fields": []}])
    kept.setdefault("default-sort-order-id", 0)
    return kept


@dataclass(frozen=True)
class TableFacts:
    """A table as it is. ``metadata`` is :func:`compact` metadata; its parts are read when first asked for."""

    metadata_location: str
    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def uuid(self) -> str:
        return str(self.metadata["table-uuid"])

    @property
    def location(self) -> str:
        return str(self.metadata["location"])

    @property
    def format_version(self) -> int:
        return int(self.metadata["format-version"])

    @property
    def properties(self) -> Mapping[str, str]:
        properties: Mapping[str, str] = self.metadata["properties"]
        return properties

    @property
    def schema_id(self) -> int:
        return int(self.metadata["current-schema-id"])

    @cached_property
    def schemas(self) -> dict[int, tuple[Struct, frozenset[int]]]:
        """Every schema the table has had, with its identifier fields, by id."""
        return {s["schema-id"]: _schema(s) for s in self.metadata["schemas"]}

    @cached_property
    def _current(self) -> tuple[Struct, frozenset[int]]:
        return next(_schema(s) for s in self.metadata["schemas"] if s["schema-id"] == self.schema_id)

    @property
    def schema(self) -> Struct:
        return self._current[0]

    @property
    def documented(self) -> list[str]:
        """Paths of the columns and fields that have a doc, from the raw metadata: fast, for thousands of tables."""
        return list(_documented(next(s for s in self.metadata["schemas"] if s["schema-id"] == self.schema_id), ""))

    @property
    def identifier(self) -> frozenset[int]:
        """Ids of the identifier fields."""
        return self._current[1]

    @property
    def last_column_id(self) -> int:
        return int(self.metadata["last-column-id"])

    @cached_property
    def specs(self) -> tuple[PartitionSpec, ...]:
        return tuple(spec_from_json(spec) for spec in self.metadata["partition-specs"])

    @property
    def spec(self) -> PartitionSpec:
        return next(spec for spec in self.specs if spec.id == self.metadata["default-spec-id"])

    @property
    def last_partition_id(self) -> int:
        known = self.metadata.get("last-partition-id")
        return max([999, *(f.field_id for s in self.specs for f in s.fields)]) if known is None else int(known)

    @cached_property
    def orders(self) -> tuple[SortOrder, ...]:
        return tuple(order_from_json(order) for order in self.metadata["sort-orders"])

    @property
    def order(self) -> SortOrder:
        return next(order for order in self.orders if order.id == self.metadata["default-sort-order-id"])


def _documented(kind: Any, prefix: str) -> Iterator[str]:
    if isinstance(kind, str):
        return
    for each in kind.get("fields", ()):
        if each.get("doc"):
            yield prefix + each["name"]
        yield from _documented(each["type"], f"{prefix}{each['name']}.")
    for inner in ("element", "value"):
        yield from _documented(kind.get(inner, ""), f"{prefix}{inner}.")


def _schema(data: Mapping[str, Any]) -> tuple[Struct, frozenset[int]]:
    return struct_from_json(data), frozenset(data.get("identifier-field-ids", ()))


@dataclass(frozen=True)
class BucketFacts:
    """A bucket as it is; None if the store does not have the feature."""

    versioning: bool | None
    expire_days: int | None
    lifecycle: bool = True  # the store supports lifecycle rules
    deletable: str | None = None  # the name of the lakehouse whose file declared it deletable
    noncurrent_days: int | None = None
    access: str | None = "private"  # as in the file; None: the store has no bucket policies
    owned: bool = True  # this lakehouse has made it, so it may be emptied and deleted
    unfit: str = ""  # why it cannot be what the file says


@dataclass(frozen=True)
class ReferenceFacts:
    """A branch or tag of a whole catalog, as it is."""

    kind: str  # branch or tag
    points_to: str
    deletable: bool = False


@dataclass(frozen=True)
class Moving:
    """A namespace that will be renamed: its name in the catalog, and all that is in it, by the names in the catalog.

    ``namespaces`` has properties, also those of the namespace itself; ``tables`` has UUIDs.
    """

    former: str
    namespaces: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, str]


@dataclass(frozen=True)
class CatalogFacts:
    """A catalog's contents.

    ``tables`` and ``views`` have what was read, ``others`` and ``other_views`` the names of tables and views that were
    only listed. ``unread`` are the addresses of the metadata files of the latter, if the catalog lists addresses.
    ``references`` are branches and tags, without the branch that this is; ``elsewhere`` are the folders of the tables
    on those, by the table's name and the reference's, if they were asked for. ``renamed`` has the names in the catalog
    of tables that ``tables`` has under other names, which they will get. ``moving`` has what is in namespaces that will
    be renamed, by their new names.
    """

    namespaces: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, TableFacts]
    others: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    references: Mapping[str, ReferenceFacts] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, ViewFacts] = field(default_factory=dict)
    other_views: frozenset[str] = frozenset()
    moving: Mapping[str, Moving] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def with_read(self, tables: Mapping[str, TableFacts], views: Mapping[str, ViewFacts]) -> CatalogFacts:
        """These facts with tables and views that were read after they were listed."""
        return replace(
            self,
            tables={**self.tables, **tables},
            views={**self.views, **views},
            others=self.others - tables.keys(),
            other_views=self.other_views - views.keys(),
            unread={name: at for name, at in self.unread.items() if name not in tables and name not in views},
        )


@dataclass(frozen=True)
class Home:
    """Where a table's files go. ``reason``: why not to the default folder; ``refused``: why the file is refused."""

    location: str
    reason: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Facts:
    """What exists.

    ``buckets`` has those that the file names, and others that an earlier file declared deletable. ``seeds`` are the
    digests of seed files by their names in the file; None if there is no such file. If the file asks for a new
    folder, ``claims`` are those of all live tables, ``homes`` the folders by the table's full name, and ``lost`` says
    for a table of the file that existed before how it was lost and how to restore it. ``own`` has facts that other
    kinds of object read only for themselves, by their words.
    """

    buckets: Mapping[str, BucketFacts]
    catalogs: Mapping[str, CatalogFacts]
    seeds: Mapping[str, str | None] = field(default_factory=dict)
    claims: Register = field(default_factory=lambda: Register(()), compare=False)
    homes: Mapping[str, Home] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
