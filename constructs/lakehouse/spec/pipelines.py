"""The entries of ``pipelines`` in lakehouse.yaml: rows that flow into a table all the time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from lakehouse.spec.base import Model
from lakehouse.spec.columns import ColumnType
from lakehouse.spec.pipeline_sources import FilesSource, HttpSource, JdbcSource, JobFile, SelectText
from lakehouse.spec.values import ColumnName, Matching

# https://github.com/apache/kafka/blob/4.3/clients/src/main/java/org/apache/kafka/common/internals/Topic.java
TopicName = Annotated[
    StrictStr,
    Matching(
        "a name for a topic",
        r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}",
        "letters, digits, dots, underscores and hyphens, at most 249",
    ),
]
# It is a part of a replication slot's name: lower-case letters, digits and underscores, at most 63 bytes.
PipelineName = Annotated[
    StrictStr,
    Matching(
        "a name for a pipeline",
        r"[a-z][a-z0-9_]{0,29}",
        "lower-case letters, digits and underscores, at most 30, a letter first",
    ),
]
_HostName = Annotated[
    StrictStr,
    Matching("a host", r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "a name or an IPv4 address, without a port"),
]
_PostgresName = Annotated[
    StrictStr,
    Matching("a name in PostgreSQL", r"[A-Za-z_][A-Za-z0-9_$]{0,62}", "letters, digits, underscores and $, at most 63"),
]
_PostgresTable = Annotated[
    StrictStr,
    Matching(
        "a table of PostgreSQL",
        r"[A-Za-z_][A-Za-z0-9_]{0,62}\.[A-Za-z_][A-Za-z0-9_]{0,62}",
        "its schema, a dot and its name, as in public.orders",
    ),
]
_MysqlName = Annotated[
    StrictStr,
    Matching("a name in MySQL", r"[A-Za-z0-9_$]{1,32}", "letters, digits, underscores and $, at most 32"),
]
_MysqlTable = Annotated[
    StrictStr,
    Matching(
        "a table of MySQL",
        r"[A-Za-z0-9_]{1,64}\.[A-Za-z0-9_]{1,64}",
        "its database, a dot and its name, as in shop.orders",
    ),
]
_TargetTable = Annotated[
    StrictStr,
    Matching(
        "a table of this file",
        r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\.[a-z_][a-z0-9_]*",
        "its catalog, namespace and name with dots between, as in lake.raw.orders",
    ),
]


class PostgresSource(Model):
    """A table of a PostgreSQL database, whose changes are read from its write-ahead log (CDC, by Debezium)."""

    host: _HostName
    """The database's host, as the lakehouse's services and this machine see it."""
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] = 5432
    """Its port."""
    database: _PostgresName
    """Its name."""
    user: _PostgresName
    """A user that may replicate and read the table. Its password is `pipeline-NAME` in `credentials` of a stack."""
    table: _PostgresTable
    """The table: `public.orders`. It needs a primary key."""


class MysqlSource(Model):
    """A table of a MySQL database, whose changes are read from its binary log (CDC, by Debezium)."""

    host: _HostName
    """The database's host, as the lakehouse's services and this machine see it."""
    port: Annotated[StrictInt, Field(ge=1, le=65_535)] = 3306
    """Its port."""
    user: _MysqlName
    """A user that may replicate and read the table. Its password is `pipeline-NAME` in `credentials` of a stack."""
    table: _MysqlTable
    """The table: `shop.orders`. It needs a primary key."""


class PipelineSource(Model):
    """Where rows come from: exactly one of its keys."""

    topic: TopicName | None = None
    """A topic of the stack's Kafka, whose messages are JSON objects: one is one row."""
    postgres: PostgresSource | None = None
    """A table of a PostgreSQL database: one change is one row. Only of `connect`."""
    mysql: MysqlSource | None = None
    """A table of a MySQL database: one change is one row. Only of `connect`."""
    jdbc: JdbcSource | None = None
    """A table of a database, or a query, read once. Only of `seatunnel`, as all that follow."""
    files: FilesSource | None = None
    """Files of a folder or of a bucket, read once."""
    http: HttpSource | None = None
    """What an HTTP address answers, asked again and again."""
    config: JobFile | None = None
    """A job of SeaTunnel in its own words, in a file beside this one. docs/pipelines.md has the words for addresses."""

    @property
    def changes(self) -> PostgresSource | MysqlSource | None:
        """The table whose changes are read; None: it reads something else."""
        return self.postgres or self.mysql

    @property
    def kind(self) -> str:
        """The key that says it."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one(self) -> PipelineSource:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            text = " and ".join(given) or "nothing"
            raise ValueError(f"a pipeline reads from {text}. Name one: {{topic: orders}} or {{postgres: ...}}")
        return self


class PipelineEntry(Model):
    """Rows that flow from a source into a table all the time."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    engine: Literal["connect", "seatunnel"] = "connect"
    """connect: Kafka Connect, with Iceberg's own sink and Debezium. seatunnel: Apache SeaTunnel on its own engine."""
    source: Annotated[PipelineSource, Field(alias="from")]
    """Where rows come from: `{topic: orders}`, or `{postgres: {host: ..., table: public.orders}}`."""
    to: _TargetTable
    """The table that they are added to, as in `lake.raw.orders`. It is one of the file's tables."""
    commit_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)] = 60
    """Seconds between two commits to the table: rows can be read after at most that, and each commit is a snapshot.

    Of SeaTunnel: seconds from the end of one job of a topic to the start of the next.
    """
    deletable: StrictBool = False
    """The second key to deletion: `--allow-destroy` removes the pipeline, and what it has read to, only if true."""
    columns: dict[ColumnName, ColumnType] = {}
    """What a message, a line of a file or an HTTP answer has, by name. Default: the table's columns. Of `seatunnel`."""
    transforms: list[SelectText] = []
    """SQL by which SeaTunnel changes rows on their way, one after the other: `SELECT id, upper(a) AS a FROM rows`."""

    @property
    def catalog(self) -> str:
        """The catalog of its table."""
        return self.to.partition(".")[0]

    @property
    def table(self) -> str:
        """Its table in the catalog, after the namespace and a dot."""
        return self.to.partition(".")[2]
