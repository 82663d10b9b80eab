"""The entry ``engines``: Spark and Trino."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, field_serializer, model_serializer, model_validator

from lakehouse.spec.base import Model, YesNoOr, or_empty
from lakehouse.spec.values import CatalogName, Memory, Properties, Size, Version


class Connect(Model):
    """A Spark Connect server."""

    token: StrictBool = False
    """Require a token from each client. It is in the state folder. Needs Spark 4.0 or newer."""


def _connect(value: Any) -> Any:
    """``true`` is a server with its defaults, ``false`` is none."""
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict | Connect):
        raise ValueError("connect is true, false or a mapping, as in {token: true}")
    return value


class Spark(Model):
    """A Spark cluster: a master, workers, and a Spark Connect server."""

    version: Version = "4.1"
    """The line of Spark. The compatibility matrix sets the Iceberg runtime, Scala and Java that fit it."""
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
        YesNoOr(Connect),
    ] = Connect()
    """Run a Spark Connect server: true, false, or {token: true}."""
    thrift: StrictBool = False
    """Run a Thrift server, for Hive's JDBC clients such as beeline. It has a heap of `driver_memory`."""
    properties: Properties = {}
    """Further Spark properties, as in `spark.sql.shuffle.partitions: 8`."""

    @field_serializer("connect")
    def _short(self, connect: Connect | None) -> Any:
        """True or false unless a token is required, as in the file."""
        return connect.model_dump() if connect and connect.token else connect is not None


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
