"""The model of lakehouse.yaml: what the lakehouse holds, and where it stands.

The classes check one value at a time; what holds between values (a partition's column exists, a stack places every
catalog) is in :mod:`lakehouse.spec.checks`. ``lakehouse.schema.json`` is generated from here, so that the descriptions
are what an editor shows.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    model_serializer,
    model_validator,
)

from lakehouse.spec import types
from lakehouse.spec.values import (
    BucketName,
    CatalogName,
    Cidr,
    ColumnName,
    ColumnType,
    ContainerPrefix,
    Email,
    Endpoint,
    FileSize,
    Identifier,
    LakehouseName,
    LicenseFile,
    Memory,
    NamespaceName,
    PortNumber,
    Properties,
    ReferenceName,
    Region,
    Repository,
    S3Location,
    Scalar,
    SeedFile,
    StackName,
    StateFolder,
    TagText,
    Version,
)

Verb = Literal["read", "write", "manage"]


class Model(BaseModel):
    """What all parts of the file share: they are values, and a key that is not known is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        """A key with nothing after it (``tables:``) means its default."""
        if not isinstance(value, dict):
            return value
        required = {name for name, field in cls.model_fields.items() if field.is_required()}
        return {
            key: item
            for key, item in value.items()
            if item is not None or key not in cls.model_fields.keys() - required
        }


def _or_empty(value: Any) -> Any:
    """A key with nothing after it (``warehouse:``) means the defaults."""
    return {} if value is None else value


class Bucket(Model):
    """A bucket of the object store."""

    expire_days: Annotated[StrictInt, Field(ge=1)] | None = None
    """Days after which objects are deleted; left out, they stay."""
    versioning: StrictBool = False
    """Keep every version of an object."""
    noncurrent_days: Annotated[StrictInt, Field(ge=1)] | None = None
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

    target_file_size: FileSize = "512m"
    """Size that files should have: a whole number of MiB (128m) or GiB (1g)."""
    min_files: Annotated[StrictInt, Field(ge=2)] = 5
    """Fewer files than this in a partition are left as they are."""


class ExpireSnapshots(Model):
    """Old snapshots go, and with them the files that only they need: no time travel to them any more."""

    older_than_days: Annotated[StrictInt, Field(ge=1)] = 7
    """Younger ones stay."""
    retain_last: Annotated[StrictInt, Field(ge=1)] = 5
    """At least so many stay, however old they are."""


class RemoveOrphans(Model):
    """Files below the table's location that no snapshot knows, as failed writers leave them, go."""

    older_than_days: Annotated[StrictInt, Field(ge=2)] = 3
    """Younger ones stay: a writer may be about to commit them."""


class Maintenance(Model):
    """What `lakehouse maintain` does to tables; what is not named is not done."""

    compact: Annotated[Compact, BeforeValidator(_or_empty)] | None = None
    """Rewrite small data files."""
    rewrite_manifests: StrictBool = False
    """Rewrite manifests, so that planning a query reads fewer of them."""
    expire_snapshots: Annotated[ExpireSnapshots, BeforeValidator(_or_empty)] | None = None
    """Expire old snapshots."""
    remove_orphans: Annotated[RemoveOrphans, BeforeValidator(_or_empty)] | None = None
    """Delete files that no snapshot knows."""
    ignore_references: StrictBool = False
    """Expire and delete even where the catalog has further branches and tags (Nessie), whose files are not spared."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        """``compact:`` with nothing after it is compaction with its defaults."""
        return {name: _or_empty(each) for name, each in value.items()} if isinstance(value, dict) else value

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

    location: S3Location
    """Where its tables are: s3://bucket/prefix, in one of `buckets`."""
    properties: Properties = {}
    """Catalog properties."""
    namespaces: dict[NamespaceName, Annotated[Namespace, BeforeValidator(_or_empty)]] = {}
    """Namespaces by name; a nested one is written with dots: `a.b`."""
    managed: Literal["shared", "exclusive"] = "shared"
    """shared: what others made in it is left alone; exclusive: what is not in this file counts as drift."""
    branches: dict[ReferenceName, Annotated[Reference, BeforeValidator(_or_empty)]] = {}
    """Branches by name, each with all of its tables, as in `etl: {from: main}`."""
    tags: dict[ReferenceName, Annotated[Reference, BeforeValidator(_or_empty)]] = {}
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


class Access(Model):
    """Who may do what."""

    roles: dict[Identifier, Annotated[Role, BeforeValidator(_or_empty)]] = {}
    """Roles by name."""
    principals: dict[Identifier, Annotated[Principal, BeforeValidator(_or_empty)]] = {}
    """Principals by name."""


class Spark(Model):
    """A Spark cluster: a master, workers, and a Spark Connect server."""

    version: Version = "4.1"
    """The line: the Iceberg runtime, Scala and Java that fit it come from the compatibility matrix."""
    workers: Annotated[StrictInt, Field(ge=1, le=64)] = 2
    """Number of workers."""
    cores: Annotated[StrictInt, Field(ge=1, le=256)] = 2
    """Cores of one worker."""
    memory: Memory = "1g"
    """Heap of one executor."""
    driver_memory: Memory = "1g"
    """Heap of the Spark Connect server."""
    connect: StrictBool = True
    """Run a Spark Connect server."""
    properties: Properties = {}
    """Further Spark properties, as in `spark.sql.shuffle.partitions: 8`."""


class Trino(Model):
    """A Trino server."""

    version: Version = "476"
    """Trino's release number."""
    memory: Memory = "1g"
    """Heap of the server."""
    catalogs: dict[CatalogName, Properties] = {}
    """Further catalogs: a name, then its properties, as in `tpch: {connector.name: tpch}`."""


class Engines(Model):
    """Query engines; one that is left out is not deployed."""

    spark: Annotated[Spark, BeforeValidator(_or_empty)] | None = None
    """Spark, for batch jobs and Spark Connect."""
    trino: Annotated[Trino, BeforeValidator(_or_empty)] | None = None
    """Trino, for interactive SQL."""

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        """``spark:`` with nothing after it is Spark with its defaults; only what is not named is not deployed."""
        return {name: _or_empty(engine) for name, engine in value.items()} if isinstance(value, dict) else value

    @model_serializer(mode="wrap")
    def _deployed(self, handler: Any) -> Any:
        return {name: engine for name, engine in handler(self).items() if engine is not None}


class LocalStack(Model):
    """The lakehouse on this machine."""

    runtime: Literal["process", "docker"]
    """process: plain processes under a supervisor; docker: containers."""
    store: Literal["s3proxy", "minio", "rustfs", "aistor"]
    """The object store."""
    license: LicenseFile | None = None
    """The file with AIStor's licence, beside this one; for `store: aistor` alone."""
    catalogs: dict[CatalogName, Literal["nessie", "polaris", "hive", "rest"]]
    """Which kind of catalog carries each of `catalogs`."""
    ports: dict[StrictStr, PortNumber] = {}
    """Ports other than the defaults, by name: s3proxy, minio, nessie, spark-master, spark-connect, trino and more."""
    container_prefix: ContainerPrefix | None = None
    """What its containers' names begin with; left out, `NAME-STACK-`; empty, they are called as their services."""
    state: StateFolder | None = None
    """Folder for data, catalog state, logs and secrets; left out, `.lakehouse` beside lakehouse.yaml.

    Beside another file, such as `orders.yaml`, it is `.lakehouse/orders`.
    """


class Backend(Model):
    """Where a team keeps Terraform's state: a bucket that is there before the first deploy."""

    bucket: BucketName
    """The bucket; best one with versions, in an account of its own."""
    key: StrictStr | None = None
    """The object; left out, `NAME/STACK.tfstate`."""
    region: Region | None = None
    """The bucket's region; left out, the stack's."""


class AwsStack(Model):
    """The lakehouse in an AWS account."""

    region: Region
    """AWS region."""
    store: Literal["s3", "s3tables"]
    """The object store."""
    catalogs: dict[CatalogName, Literal["glue"]]
    """Which kind of catalog carries each of `catalogs`."""
    engines: Literal["managed", "ec2"] = "managed"
    """managed: Spark on EMR Serverless and SQL by Athena, paid by use; ec2: Spark and Trino clusters on instances."""
    owner: TagText | None = None
    """Who answers for it, a tag on everything; left out, the lakehouse's name."""
    cost_center: TagText | None = None
    """Who pays for it, a tag on everything; left out, the lakehouse's name."""
    budget_usd: Annotated[StrictInt, Field(ge=1)] | None = None
    """US dollars a month; at 80 percent (forecast) and at 100 percent an alert is sent. Left out, no budget."""
    alerts: list[Email] = []
    """Addresses that get alarms and budget alerts; each confirms a mail from AWS once."""
    cidr: Cidr = "10.20.0.0/16"
    """Addresses of the network (VPC), a private range that no peer of it uses: /16 to /20."""
    zones: Annotated[StrictInt, Field(ge=2, le=3)] = 2
    """Availability zones that it spans."""
    backend: Backend | None = None
    """State in S3, locked, for teams; left out, a file of this machine."""
    github: Repository | None = None
    """`owner/repository` whose workflows may plan and deploy by OIDC; left out, no role for them."""
    allow_destroy: StrictBool = False
    """The first key to deletion in AWS: what is also `deletable: true` can be destroyed with its data."""


def _kind_of_stack(value: Any) -> str:
    named = "region" in value if isinstance(value, dict) else isinstance(value, AwsStack)
    return "<aws>" if named else "<local>"


Stack = Annotated[
    Annotated[LocalStack, Tag("<local>")] | Annotated[AwsStack, Tag("<aws>")], Discriminator(_kind_of_stack)
]


class Lakehouse(Model):
    """A lakehouse: what it holds, said once, and the places where it stands."""

    name: LakehouseName
    """Name of the lakehouse; the cloud's resources carry it."""
    buckets: dict[BucketName, Annotated[Bucket, BeforeValidator(_or_empty)]] = Field(min_length=1)
    """Buckets by name."""
    catalogs: dict[CatalogName, Catalog] = Field(min_length=1)
    """Iceberg catalogs by name."""
    sources: dict[BucketName, Annotated[Source, BeforeValidator(_or_empty)]] = {}
    """Buckets of others, by name, from which data is ingested."""
    access: Annotated[Access, BeforeValidator(_or_empty)] = Access()
    """Roles and principals."""
    engines: Annotated[Engines, BeforeValidator(_or_empty)] = Engines()
    """Query engines."""
    stacks: dict[StackName, Stack] = Field(min_length=1)
    """Where it stands: one entry a place, each with the same contents."""
