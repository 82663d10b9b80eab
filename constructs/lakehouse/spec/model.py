"""The model of lakehouse.yaml: the contents of a lakehouse.

Its stacks are in :mod:`lakehouse.spec.stacks`, its engines in :mod:`lakehouse.spec.engines`, its roles in
:mod:`lakehouse.spec.roles`.

The classes check one value at a time. Rules between values (a partition's column exists, a stack has every catalog) are
in :mod:`lakehouse.spec.checks`. ``lakehouse.schema.json`` is generated from these modules, and editors show the
descriptions.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_serializer,
    model_validator,
)

from lakehouse.iceberg import types
from lakehouse.spec.base import Model, or_empty
from lakehouse.spec.columns import ColumnType, PartitionBy, SortBy
from lakehouse.spec.engines import Engines
from lakehouse.spec.paths import SeedFile, SourceCredentialsFile
from lakehouse.spec.pipelines import PipelineEntry, PipelineName
from lakehouse.spec.roles import Access
from lakehouse.spec.sql import ViewSql
from lakehouse.spec.stacks import Stack
from lakehouse.spec.values import (
    BucketName,
    CatalogLocation,
    CatalogName,
    ColumnName,
    Endpoint,
    FileSize,
    FormerName,
    Identifier,
    LakehouseName,
    NamespaceName,
    OwnerName,
    Properties,
    ReferenceName,
    Region,
    S3Location,
    Scalar,
    Size,
    StackName,
    TagName,
    Upstream,
)


class Bucket(Model):
    """A bucket of the object store."""

    expire_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None
    """Days after which objects are deleted. Default: never."""
    versioning: StrictBool = False
    """Keep every version of an object."""
    noncurrent_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None
    """Days after which replaced and deleted versions are removed; needs `versioning`. Default: never."""
    access: Literal["private", "public-read"] = "private"
    """private: only clients with keys may read objects; public-read: every client that reaches the store may."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` removes the bucket only if this is true."""


class Column(Model):
    """A column of a table: only its type (`close: double`), or a mapping."""

    type: ColumnType
    """An Iceberg type: long, decimal(10, 2), list<string>, map<string, long>, struct<a: int>; or, with docs of fields,
    a mapping: {struct: {a: {type: int, doc: TEXT, renamed_from: NAME}}}."""
    required: StrictBool = False
    """Every row must have a value."""
    doc: StrictStr | None = None
    """Its description, which every engine shows."""
    renamed_from: ColumnName | None = None
    """Its former name. The bootstrap renames the column and keeps its id and its data."""
    initial_default: Scalar | None = None
    """Its value in rows written before it was added; needs format version 3, and cannot be changed."""
    write_default: Scalar | None = None
    """Its value in new rows written without one; needs format version 3."""
    tags: list[Identifier] = []
    """What it holds, as in `pii`; grants mask all columns of a tag."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the column only if this is true."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @property
    def iceberg_type(self) -> types.Type:
        """The type as a value."""
        return self.type.parsed


class Compact(Model):
    """Rewriting of many small data files into few large ones."""

    target_file_size: FileSize = Size("512m")
    """Target size of the files: a whole number of MiB (128m) or GiB (1g)."""
    min_files: Annotated[StrictInt, Field(ge=2, le=1_000_000)] = 5
    """Minimum number of files in a partition to rewrite it."""


class ExpireSnapshots(Model):
    """Removal of old snapshots and of the files that only they need. Time travel to them is no longer possible."""

    older_than_days: Annotated[StrictInt, Field(ge=1, le=36_500)] = 7
    """Age in days of the snapshots to remove; younger ones are kept."""
    retain_last: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 5
    """Minimum number of snapshots to keep, even if they are older."""


class RemoveOrphans(Model):
    """Removal of files below the table's location that no snapshot references, such as those of failed writers."""

    older_than_days: Annotated[StrictInt, Field(ge=2, le=36_500)] = 3
    """Age in days of the files to remove; younger ones are kept, because a writer may be about to commit them."""


class Maintenance(Model):
    """What `lakehouse maintain` does to tables. It does only what is set here."""

    compact: Annotated[Compact, BeforeValidator(or_empty)] | None = None
    """Rewrite small data files."""
    rewrite_manifests: StrictBool = False
    """Rewrite manifests, so that the planning of a query reads fewer of them."""
    expire_snapshots: Annotated[ExpireSnapshots, BeforeValidator(or_empty)] | None = None
    """Expire old snapshots."""
    remove_orphans: Annotated[RemoveOrphans, BeforeValidator(or_empty)] | None = None
    """Delete files that no snapshot references."""
    ignore_references: StrictBool = False
    """Files that only other branches and tags of the catalog (Nessie) need are deleted too."""

    @model_validator(mode="before")
    @classmethod
    def _empty_as_default(cls, value: Any) -> Any:
        """``compact:`` without a value is compaction with its defaults."""
        return {name: or_empty(each) for name, each in value.items()} if isinstance(value, dict) else value

    @model_serializer(mode="wrap")
    def _without_none(self, handler: Any) -> Any:
        return {name: each for name, each in handler(self).items() if each is not None}


class Table(Model):
    """An Iceberg table."""

    columns: dict[ColumnName, Column] = Field(min_length=1)
    """Columns in order."""
    partition_by: list[PartitionBy] = []
    """Partition fields: a column, or year(c), month(c), day(c), hour(c), bucket(n, c), truncate(w, c) or void(c)."""
    sort_by: list[SortBy] = []
    """Sort order of written files: a column or transform, then optionally asc or desc, nulls first or nulls last."""
    identifier: list[ColumnName] = []
    """Columns that identify a row; all of them must be required."""
    properties: Properties = {}
    """Iceberg table properties, as in `write.parquet.compression-codec: zstd`."""
    format_version: Literal[1, 2, 3] = 2
    """Version of the Iceberg table format."""
    location: S3Location | None = None
    """Location of its files. Default: a folder below the catalog's location."""
    doc: StrictStr | None = None
    """Its description, which every engine shows."""
    renamed_from: FormerName | None = None
    """Its former name, after its former namespace if that was another. The bootstrap renames it and keeps its data."""
    seed: SeedFile | None = None
    """File with its first rows, relative to this one: .csv, .csv.gz or .parquet. It is loaded once."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the table only if this is true."""
    maintenance: Maintenance | None = None
    """What `lakehouse maintain` does to it. Default: the setting of its namespace."""
    owners: list[OwnerName] = []
    """Who is responsible for it, for `lakehouse metadata`: users, or `group:NAME`. Default: those of its namespace."""
    tags: list[TagName] = []
    """What it is, as in `gold`, for `lakehouse metadata`."""
    upstreams: list[Upstream] = []
    """Where its rows come from, for `lakehouse metadata`: tables (`lake.bronze.orders`), `s3://bucket/folder`,
    `kafka://topic`, `postgres://database.schema.table`."""


class ViewColumn(Model):
    """A column of a view: only its type (`close: double`), or a mapping."""

    type: ColumnType
    """The Iceberg type that its query returns."""
    doc: StrictStr | None = None
    """Its description, which every engine shows."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


class View(Model):
    """An Iceberg view: a query, in the SQL of each engine that reads it."""

    sql: ViewSql
    """Its query: SQL by engine, as in `{spark: SELECT ..., trino: SELECT ...}`, or one text for all engines."""
    columns: dict[ColumnName, ViewColumn] = Field(min_length=1)
    """The columns that the query returns, in order. Engines refuse a view whose query returns others."""
    properties: Properties = {}
    """Properties of the view."""
    doc: StrictStr | None = None
    """Its description, which every engine shows."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the view only if this is true."""


class Namespace(Model):
    """A namespace (schema, database) of a catalog."""

    properties: Properties = {}
    """Namespace properties."""
    tables: dict[Identifier, Table] = {}
    """Tables by name."""
    views: dict[Identifier, View] = {}
    """Views by name."""
    renamed_from: NamespaceName | None = None
    """Its former name. The bootstrap moves all tables of that namespace to this one, and drops it."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the namespace only if this is true."""
    maintenance: Maintenance | None = None
    """What `lakehouse maintain` does to its tables. Default: the setting of the catalog."""
    owners: list[OwnerName] = []
    """Who is responsible for its tables, for `lakehouse metadata`: users, or `group:NAME`."""


class Reference(Model):
    """A branch or a tag of a whole catalog, if its kind supports them (Nessie)."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    source: Annotated[ReferenceName, Field(alias="from")] = "main"
    """The branch or tag from which it is created. Later commits there do not move it."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` deletes it only if this is true."""


class Catalog(Model):
    """An Iceberg catalog."""

    location: CatalogLocation
    """Location of its tables: s3://bucket/prefix in one of `buckets`, or s3://bucket for a bucket of its own."""
    properties: Properties = {}
    """Catalog properties."""
    namespaces: dict[NamespaceName, Annotated[Namespace, BeforeValidator(or_empty)]] = {}
    """Namespaces by name. The name of a nested one has dots: `a.b`."""
    managed: Literal["shared", "exclusive"] = "shared"
    """shared: what others created in it is ignored; exclusive: what is not in this file is reported as drift."""
    branches: dict[ReferenceName, Annotated[Reference, BeforeValidator(or_empty)]] = {}
    """Branches of the whole catalog by name, as in `etl: {from: main}`."""
    tags: dict[ReferenceName, Annotated[Reference, BeforeValidator(or_empty)]] = {}
    """Tags, which are fixed states of the whole catalog, by name, as in `q3: {from: main}`."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the empty catalog from its server (Polaris) only if true."""
    maintenance: Maintenance | None = None
    """What `lakehouse maintain` does to its tables. Default: nothing."""


class Source(Model):
    """A bucket outside the lakehouse from which `lakehouse ingest` reads, with its own endpoint and credentials."""

    endpoint: Endpoint | None = None
    """Address of its store, as in https://files.example.com. Default: AWS."""
    region: Region = "us-east-1"
    """Region of its store."""
    credentials: SourceCredentialsFile | None = None
    """File in the format of ~/.aws/credentials, relative to this one. Default, only for AWS: the environment's."""
    profile: StrictStr = "default"
    """Section of the credentials file."""


class Lakehouse(Model):
    """A lakehouse: its contents, and the stacks that deploy them."""

    name: LakehouseName
    """Name of the lakehouse. The names of resources in the cloud begin with it."""
    buckets: dict[BucketName, Annotated[Bucket, BeforeValidator(or_empty)]] = Field(min_length=1)
    """Buckets by name."""
    catalogs: dict[CatalogName, Catalog] = Field(min_length=1)
    """Iceberg catalogs by name."""
    sources: dict[BucketName, Annotated[Source, BeforeValidator(or_empty)]] = {}
    """Buckets outside the lakehouse from which `lakehouse ingest` reads, by name."""
    access: Annotated[Access, BeforeValidator(or_empty)] = Access()
    """Roles and principals."""
    engines: Annotated[Engines, BeforeValidator(or_empty)] = Engines()
    """Query engines."""
    pipelines: dict[PipelineName, PipelineEntry] = {}
    """Rows that flow into tables all the time, by name. A stack with pipelines has Kafka."""
    stacks: dict[StackName, Stack] = Field(min_length=1)
    """Stacks by name: one for each place where the lakehouse is deployed. All have the same contents."""

    @property
    def pipeline_engines(self) -> tuple[str, ...]:
        """The engines of its pipelines. An empty `pipelines: {}` keeps the first, to remove what it left behind."""
        named = tuple(dict.fromkeys(each.engine for each in self.pipelines.values()))
        kept = ("connect",) if "pipelines" in self.model_fields_set else ()
        return named or kept
