"""The entry ``engines``: Spark and Trino."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_serializer,
    model_serializer,
    model_validator,
)

from lakehouse.spec.base import Model, YesNoOr, neither, or_empty
from lakehouse.spec.values import CatalogName, Matching, Memory, Parsed, Properties, S3Location, Size, Version

_GROUP = "lowercase letters, digits, _ and -, a letter first, at most 63"
GroupName = Annotated[StrictStr, Matching("the name of a resource group", r"[a-z][a-z0-9_-]{0,62}", _GROUP)]
_CLIENT = "letters, digits, _ . @ / : + = - and *, which is any text"
ClientName = Annotated[StrictStr, Matching("a user or source", r"[A-Za-z0-9_.@/:+=*-]{1,255}", _CLIENT)]


def _group_memory(value: str) -> str:
    if not re.fullmatch(r"([1-9]\d?|100)%", value):
        try:
            Size(value)
        except ValueError:
            rule = "a whole number and m or g, as in 4g, or a share from 1% to 100%"
            raise ValueError(f'"{value}" is not the memory of a resource group: {rule}') from None
    return value


GroupMemory = Annotated[str, Parsed(_group_memory)]
DiskSize = Annotated[Size, Parsed(Size, numbers=True)]


class Connect(Model):
    """A Spark Connect server."""

    token: StrictBool = False
    """Require a token from each client. It is in the state folder. Needs Spark 4.0 or newer."""


def _connect(value: Any) -> Any:
    """``true`` is a server with its defaults, ``false`` is none."""
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict | Connect):
        raise ValueError(neither(value, "{token: true}"))
    return value


class Spark(Model):
    """A Spark cluster: a master, workers, and a Spark Connect server. Or only that server."""

    version: Version = "4.1"
    """The line of Spark. The compatibility matrix sets the Iceberg runtime, Scala and Java that fit it."""
    cluster: StrictBool = True
    """Run a master and workers.

    false: Spark Connect and each batch job do their work in their own process, with `cores` threads. That starts faster
    and saves memory. In AWS there is always a cluster.
    """
    workers: Annotated[StrictInt, Field(ge=1, le=64)] = 2
    """Number of workers."""
    cores: Annotated[StrictInt, Field(ge=1, le=256)] = 2
    """Cores of one worker."""
    memory: Memory = Size("1g")
    """Heap of one executor."""
    driver_memory: Memory = Size("1g")
    """Heap of the Spark Connect server. Without a cluster, `memory` is added to it."""
    dynamic: StrictBool = False
    """Let each application have as many executors as it has work for: from one to all that fit on the workers.

    Default: each has the cores of one worker, or half of them if there is one worker. In AWS it is always so.
    """
    connect: Annotated[
        Connect | None,
        BeforeValidator(_connect),
        YesNoOr(Connect),
    ] = Connect()
    """Run a Spark Connect server: true, false, or {token: true}."""
    thrift: StrictBool = False
    """Run a Thrift server, for Hive's JDBC clients such as beeline. It has a heap of `driver_memory`."""
    history: StrictBool = False
    """Run a history server, which shows applications that ended. Only on `runtime: process`."""
    properties: Properties = {}
    """Further Spark properties, as in `spark.sql.shuffle.partitions: 8`."""

    @property
    def clustered(self) -> int:
        """Number of workers in a stack that is not in AWS."""
        return self.workers if self.cluster else 0

    @field_serializer("connect")
    def _short(self, connect: Connect | None) -> Any:
        """True or false unless a token is required, as in the file."""
        return connect.model_dump() if connect and connect.token else connect is not None


class ResourceGroup(Model):
    """Queries that share limits. A query goes to the first group whose users and sources it has."""

    users: list[ClientName] = []
    """Whose queries it takes, as in [bi, "etl_*"]; `*` is any text. Default: those of all users."""
    sources: list[ClientName] = []
    """From which programs, by the name that they give themselves, as in ["dbt-*"]. Default: from all."""
    concurrency: Annotated[StrictInt, Field(ge=1, le=100_000)]
    """Number of queries that run at once. Further ones wait."""
    queue: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 100
    """Number of queries that wait. Further ones are refused."""
    memory: GroupMemory = "100%"
    """Memory of its running queries on all servers: 4g, or a share as in 50%. While they have more, no other starts."""

    @property
    def takes_all(self) -> bool:
        """Whether it takes every query."""
        return not self.users and not self.sources

    @property
    def memory_limit(self) -> str:
        """The memory as Trino reads it."""
        return self.memory if self.memory.endswith("%") else f"{Size(self.memory).mb}MB"


class Trino(Model):
    """A Trino server, or a coordinator and workers."""

    version: Version = "476"
    """The release of Trino."""
    workers: Annotated[StrictInt, Field(ge=0, le=64)] = 0
    """Number of workers, which run what the coordinator hands out. Default: 0, one server does both.

    With `engines: ec2` in AWS: their least number there.
    """
    memory: Memory = Size("1g")
    """Heap of each server."""
    authentication: Literal["password"] | None = None
    """password: who queries logs in with a password of their own. Default: everybody is let in, under any name."""
    retries: Literal["query", "task"] | None = None
    """What runs again if a worker ends: the whole query, or only its tasks there, which needs `exchange`.

    Needs `workers`. Default: nothing, so a query fails if one of its workers ends.
    """
    exchange: S3Location | None = None
    """Location in one of `buckets` where queries keep rows between their stages, as in s3://staging/trino.

    With `retries: query` it is for results of more than 32 MB, which otherwise fail.
    """
    spill: DiskSize | None = None
    """Space on the disk of each server for what queries cannot keep in memory, as in 20g. Default: they fail."""
    resource_groups: dict[GroupName, ResourceGroup] = {}
    """How many queries of whom run at once, by names of groups, as in `etl: {users: [etl], concurrency: 2}`."""
    catalogs: dict[CatalogName, Properties] = {}
    """Further catalogs: properties by name, as in `tpch: {connector.name: tpch}`."""
    properties: Properties = {}
    """Further properties of the server, as in `query.max-run-time: 1h`."""


class Engines(Model):
    """Query engines. Only those named here are deployed."""

    spark: Annotated[Spark, BeforeValidator(or_empty)] | None = None
    """Spark, for batch jobs and Spark Connect."""
    trino: Annotated[Trino, BeforeValidator(or_empty)] | None = None
    """Trino, for interactive SQL."""

    @model_validator(mode="before")
    @classmethod
    def _empty_as_default(cls, value: Any) -> Any:
        """``spark:`` without a value is Spark with its defaults."""
        return {name: or_empty(engine) for name, engine in value.items()} if isinstance(value, dict) else value

    @model_serializer(mode="wrap")
    def _deployed(self, handler: Any) -> Any:
        return {name: engine for name, engine in handler(self).items() if engine is not None}
