"""The model of lakehouse.yaml: what the lakehouse holds; where it stands is in :mod:`lakehouse.spec.stacks`.

The classes check one value at a time; what holds between values (a partition's column exists, a stack places every
catalog) is in :mod:`lakehouse.spec.checks`. ``lakehouse.schema.json`` is generated from both, so that the descriptions
are what an editor shows.
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
    WithJsonSchema,
    field_serializer,
    model_serializer,
    model_validator,
)

from lakehouse.iceberg import types
from lakehouse.spec import matrix
from lakehouse.spec.base import Model, or_empty
from lakehouse.spec.stacks import Stack
from lakehouse.spec.values import (
    BucketName,
    CatalogLocation,
    CatalogName,
    ColumnName,
    ColumnType,
    Endpoint,
    FileSize,
    Identifier,
    LakehouseName,
    Memory,
    NamespaceName,
    Properties,
    ReferenceName,
    Region,
    S3Location,
    Scalar,
    SeedFile,
    Size,
    StackName,
    Version,
)

Verb = Literal["read", "write", "manage"]


class Bucket(Model):
    """A bucket of the object store."""

    expire_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None
    """Days after which objects are deleted; left out, they stay."""
    versioning: StrictBool = False
    """Keep every version of an object."""
    noncurrent_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None
    """Days after which versions that were replaced or deleted go; left out, they stay. With `versioning` alone."""
    access: Literal["private", "public-read"] = "private"
    """private: with the store's keys alone; public-read: whoever reaches the store may read objects, without keys."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` removes the bucket only where this is true."""


class Column(Model):
    """A column of a table: its type alone (`close: double`), or a mapping."""

    type: ColumnType
    """An Iceberg type: long, decimal(10, 2), timestamptz, list<string>, map<string, long>, struct<a: int>."""
    required: StrictBool = False
    """No row may lack it."""
    doc: StrictStr | None = None
    """What it means, shown by every engine."""
    renamed_from: ColumnName | None = None
    """Its name until now; the bootstrap renames the column and keeps its id and its data."""
    initial_default: Scalar | None = None
    """Its value in rows that were written before it was added; of format version 3, and never changed."""
    write_default: Scalar | None = None
    """Its value in rows that are written without one; of format version 3."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the column only where this is true."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @property
    def iceberg_type(self) -> types.Type:
        """The type as a value."""
        return types.parse(self.type)


class Compact(Model):
    """Many small data files become few large ones."""

    target_file_size: FileSize = Size("512m")
    """Size that files should have: a whole number of MiB (128m) or GiB (1g)."""
    min_files: Annotated[StrictInt, Field(ge=2, le=1_000_000)] = 5
    """Fewer files than this in a partition are left as they are."""


class ExpireSnapshots(Model):
    """Old snapshots go, and with them the files that only they need: no time travel to them any more."""

    older_than_days: Annotated[StrictInt, Field(ge=1, le=36_500)] = 7
    """Younger ones stay."""
    retain_last: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 5
    """At least so many stay, however old they are."""


class RemoveOrphans(Model):
    """Files below the table's location that no snapshot knows, as failed writers leave them, go."""

    older_than_days: Annotated[StrictInt, Field(ge=2, le=36_500)] = 3
    """Younger ones stay: a writer may be about to commit them."""


class Maintenance(Model):
    """What `lakehouse maintain` does to tables; what is not named is not done."""

    compact: Annotated[Compact, BeforeValidator(or_empty)] | None = None
    """Rewrite small data files."""
    rewrite_manifests: StrictBool = False
    """Rewrite manifests, so that planning a query reads fewer of them."""
    expire_snapshots: Annotated[ExpireSnapshots, BeforeValidator(or_empty)] | None = None
    """Expire old snapshots."""
    remove_orphans: Annotated[RemoveOrphans, BeforeValidator(or_empty)] | None = None
    """Delete files that no snapshot knows."""
    ignore_references: StrictBool = False
    """Expire and delete even where the catalog has further branches and tags (Nessie), whose files are not spared."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        """``compact:`` with nothing after it is compaction with its defaults."""
        return {name: or_empty(each) for name, each in value.items()} if isinstance(value, dict) else value

    @model_serializer(mode="wrap")
    def _asked_for(self, handler: Any) -> Any:
        return {name: each for name, each in handler(self).items() if each is not None}


class Table(Model):
    """An Iceberg table."""

    columns: dict[ColumnName, Column] = Field(min_length=1)
    """Columns in their order."""
    partition_by: list[StrictStr] = []
    """Partition fields: a column, or year, month, day, hour, bucket(n, c), truncate(w, c), void of one."""
    sort_by: list[StrictStr] = []
    """Sort order of written files: a column or transform, then optionally asc or desc, nulls first or nulls last."""
    identifier: list[ColumnName] = []
    """Columns that tell rows apart; all of them required."""
    properties: Properties = {}
    """Iceberg table properties, as in `write.parquet.compression-codec: zstd`."""
    format_version: Literal[1, 2, 3] = 2
    """Version of the Iceberg table format."""
    location: S3Location | None = None
    """Where its files are; left out, below the catalog's location."""
    doc: StrictStr | None = None
    """What it holds, shown by every engine."""
    seed: SeedFile | None = None
    """A file beside this one whose rows the table begins with: .csv, .csv.gz or .parquet; loaded once."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the table only where this is true."""
    maintenance: Maintenance | None = None
    """What `lakehouse maintain` does to it; left out, as its namespace says."""


class Namespace(Model):
    """A namespace (schema, database) of a catalog."""

    properties: Properties = {}
    """Namespace properties."""
    tables: dict[Identifier, Table] = {}
    """Tables by name."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` drops the namespace only where this is true."""
    maintenance: Maintenance | None = None
    """What `lakehouse maintain` does to its tables; left out, as the catalog says."""


class Reference(Model):
    """A branch or a tag of a whole catalog, where its kind has them (Nessie)."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    source: Annotated[ReferenceName, Field(alias="from")] = "main"
    """The branch or tag that it begins at; what happens there later does not move it."""
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` deletes it only where this is true."""


class Catalog(Model):
    """An Iceberg catalog."""

    location: CatalogLocation
    """Where its tables are: s3://bucket/prefix, in one of `buckets`, or s3://bucket, which is all its own."""
    properties: Properties = {}
    """Catalog properties."""
    namespaces: dict[NamespaceName, Annotated[Namespace, BeforeValidator(or_empty)]] = {}
    """Namespaces by name; a nested one is written with dots: `a.b`."""
    managed: Literal["shared", "exclusive"] = "shared"
    """shared: what others made in it is left alone; exclusive: what is not in this file counts as drift."""
    branches: dict[ReferenceName, Annotated[Reference, BeforeValidator(or_empty)]] = {}
    """Branches by name, each with all of its tables, as in `etl: {from: main}`."""
    tags: dict[ReferenceName, Annotated[Reference, BeforeValidator(or_empty)]] = {}
    """Tags by name: states that are kept, as in `q3: {from: main}`."""
    maintenance: Maintenance | None = None
    """What `lakehouse maintain` does to its tables; left out, nothing."""


class Source(Model):
    """A bucket of others, from which `lakehouse ingest` reads, with an endpoint and credentials of its own."""

    endpoint: Endpoint | None = None
    """Its store's address, as in https://files.example.com; left out, AWS."""
    region: Region = "us-east-1"
    """Its store's region."""
    credentials: StrictStr | None = None
    """A file in the format of ~/.aws/credentials, beside this one; left out, the environment's own, for AWS alone."""
    profile: StrictStr = "default"
    """The section of that file."""


class Role(Model):
    """A set of grants."""

    grants: dict[StrictStr, list[Verb]] = {}
    """What may be done where: `catalog`, `catalog.namespace` or `catalog.namespace.table`, and read, write, manage."""


class Principal(Model):
    """A user or a program."""

    roles: list[Identifier] = []
    """Names of roles."""
    deletable: StrictBool = False
    """The second key to deletion of the principal's user of the store, with its keys."""


class Access(Model):
    """Who may do what."""

    roles: dict[Identifier, Annotated[Role, BeforeValidator(or_empty)]] = {}
    """Roles by name."""
    principals: dict[Identifier, Annotated[Principal, BeforeValidator(or_empty)]] = {}
    """Principals by name."""


class Connect(Model):
    """A Spark Connect server."""

    token: StrictBool = False
    """Ask each client for a token, which lies in the state folder; of Spark 4.0 and newer."""


def _connect(value: Any) -> Any:
    """``true`` is a server with its defaults, ``false`` is none."""
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict | Connect):
        raise ValueError("connect is true, false, or a mapping as in {token: true}")
    return value


class Spark(Model):
    """A Spark cluster: a master, workers, and a Spark Connect server."""

    version: Version = "4.1"
    """The line: the Iceberg runtime, Scala and Java that fit it come from the compatibility matrix."""
    workers: Annotated[StrictInt, Field(ge=1, le=64)] = 2
    """Number of workers."""
    cores: Annotated[StrictInt, Field(ge=1, le=256)] = 2
    """Cores of one worker."""
    memory: Memory = Size("1g")
    """Heap of one executor."""
    driver_memory: Memory = Size("1g")
    """Heap of the Spark Connect server."""
    connect: Annotated[
        Connect | None,
        BeforeValidator(_connect),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, Connect.model_json_schema()]}),
    ] = Connect()
    """Run a Spark Connect server: true, false, or {token: true}."""
    properties: Properties = {}
    """Further Spark properties, as in `spark.sql.shuffle.partitions: 8`."""

    @property
    def line(self) -> matrix.SparkLine:
        """What fits the version, which has been checked to be one of the matrix."""
        return matrix.SPARK[self.version]

    @field_serializer("connect")
    def _said(self, connect: Connect | None) -> Any:
        """As the file says it, true and false included."""
        return connect.model_dump() if connect and connect.token else connect is not None


class Trino(Model):
    """A Trino server."""

    version: Version = "476"
    """Trino's release number."""
    memory: Memory = Size("1g")
    """Heap of the server."""
    catalogs: dict[CatalogName, Properties] = {}
    """Further catalogs: a name, then its properties, as in `tpch: {connector.name: tpch}`."""
    properties: Properties = {}
    """Further properties of the server, as in `query.max-run-time: 1h`."""

    @property
    def release(self) -> matrix.TrinoRelease:
        """What the matrix knows of the version, which has been checked to be one of it."""
        return matrix.TRINO[self.version]


class Engines(Model):
    """Query engines; one that is left out is not deployed."""

    spark: Annotated[Spark, BeforeValidator(or_empty)] | None = None
    """Spark, for batch jobs and Spark Connect."""
    trino: Annotated[Trino, BeforeValidator(or_empty)] | None = None
    """Trino, for interactive SQL."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        """``spark:`` with nothing after it is Spark with its defaults; only what is not named is not deployed."""
        return {name: or_empty(engine) for name, engine in value.items()} if isinstance(value, dict) else value

    @model_serializer(mode="wrap")
    def _deployed(self, handler: Any) -> Any:
        return {name: engine for name, engine in handler(self).items() if engine is not None}


class Lakehouse(Model):
    """A lakehouse: what it holds, said once, and the places where it stands."""

    name: LakehouseName
    """Name of the lakehouse; the cloud's resources carry it."""
    buckets: dict[BucketName, Annotated[Bucket, BeforeValidator(or_empty)]] = Field(min_length=1)
    """Buckets by name."""
    catalogs: dict[CatalogName, Catalog] = Field(min_length=1)
    """Iceberg catalogs by name."""
    sources: dict[BucketName, Annotated[Source, BeforeValidator(or_empty)]] = {}
    """Buckets of others, by name, from which data is ingested."""
    access: Annotated[Access, BeforeValidator(or_empty)] = Access()
    """Roles and principals."""
    engines: Annotated[Engines, BeforeValidator(or_empty)] = Engines()
    """Query engines."""
    stacks: dict[StackName, Stack] = Field(min_length=1)
    """Where it stands: one entry a place, each with the same contents."""
