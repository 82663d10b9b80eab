"""The connectors of which pipelines consist, as Kafka Connect's REST API takes them. Pure.

Their values are text of JSON, in which Connect replaces ``${...}``: no text of the user's can have that (the model's
patterns), and what is secret or an address is a reference to the service's own file.

https://iceberg.apache.org/docs/1.12.0/kafka-connect/ and
https://debezium.io/documentation/reference/3.6/connectors/postgresql.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.pipeline import catalog_settings
from lakehouse.kinds.pipelines import connect
from lakehouse.services.service import Place
from lakehouse.spec import Lakehouse
from lakehouse.spec.pipelines import MysqlSource, PipelineEntry, PostgresSource

Config = Mapping[str, str]
# The toolkit's own keys in a connector's configuration, which Connect keeps and connectors ignore.
PIPELINE, DELETABLE = "lakehouse.pipeline", "lakehouse.deletable"


def connectors(
    lakehouse: Lakehouse, stack: str, place: Place, catalogs: Sequence[CatalogEndpoint]
) -> dict[str, dict[str, Config]]:
    """PipelineEntry -> connector -> its configuration, for the pipelines that Connect carries."""
    every = {each.name: each for each in catalogs}
    found: dict[str, dict[str, Config]] = {}
    for name, pipeline in lakehouse.pipelines.items():
        if pipeline.engine == connect.WORD:
            ours = {PIPELINE: name, DELETABLE: "true" if pipeline.deletable else "false"}
            made = {sink_of(name): _sink(name, pipeline, place, every[pipeline.catalog])}
            reader = slot(lakehouse.name, stack, name)
            if (postgres := pipeline.source.postgres) is not None:
                made = {source_of(name): _postgres(name, postgres, place, reader), **made}
            if (mysql := pipeline.source.mysql) is not None:
                made = {source_of(name): _mysql(name, mysql, place, reader), **made}
            found[name] = {connector: {**config, **ours} for connector, config in made.items()}
    return found


def sink_of(pipeline: str) -> str:
    """The name of the connector that writes to the table. No pipeline has a hyphen in its name."""
    return f"{pipeline}-sink"


def source_of(pipeline: str) -> str:
    """The name of the connector that reads a database."""
    return f"{pipeline}-source"


def slot(lakehouse: str, stack: str, pipeline: str) -> str:
    """The name of a pipeline's replication slot, and of its publication: other stacks have others."""
    return f"lakehouse_{pipeline}_{hashlib.sha256(f'{lakehouse}/{stack}'.encode()).hexdigest()[:8]}"


def topic_of(name: str, pipeline: PipelineEntry) -> str:
    """The topic between a source and the table."""
    if pipeline.source.topic is not None:
        return pipeline.source.topic
    assert pipeline.source.changes is not None
    return f"{_prefix(name)}.{pipeline.source.changes.table}"


def control_of(pipeline: str) -> str:
    """The topic by which the sink's tasks and its coordinator agree on commits."""
    return f"control-{pipeline}"


def _prefix(pipeline: str) -> str:
    return f"cdc-{pipeline}"


def _sink(name: str, pipeline: PipelineEntry, place: Place, at: CatalogEndpoint) -> dict[str, str]:
    values = {key: connect.reference(place, f"{at.name}.{key}") for key in catalog_settings(at)}
    # Nobody reads the keys of a topic's messages, which may be any text. Those of Debezium's changes are rows.
    keys = {"key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter"}
    changes = {
        "transforms": "changes",
        "transforms.changes.type": "org.apache.iceberg.connect.transforms.DebeziumTransform",
    }
    return {
        "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
        "tasks.max": "1",
        "topics": topic_of(name, pipeline),
        "iceberg.tables": pipeline.table,
        # The bootstrap makes tables, and changes them.
        "iceberg.tables.auto-create-enabled": "false",
        "iceberg.tables.evolve-schema-enabled": "false",
        "iceberg.control.topic": control_of(name),
        "iceberg.control.commit.interval-ms": str(pipeline.commit_seconds * 1000),
        "iceberg.kafka.bootstrap.servers": connect.reference(place, connect.BROKER),
        "iceberg.catalog": at.name,
        **{f"iceberg.catalog.{key}": value for key, value in values.items()},
        **(changes if pipeline.source.changes is not None else keys),
    }


def _postgres(name: str, source: PostgresSource, place: Place, slot: str) -> dict[str, str]:
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        **_read(name, source, place),
        "database.dbname": source.database,
        "plugin.name": "pgoutput",
        "slot.name": slot,
        "publication.name": slot,
        "publication.autocreate.mode": "filtered",
    }


def _mysql(name: str, source: MysqlSource, place: Place, reader: str) -> dict[str, str]:
    """https://debezium.io/documentation/reference/3.6/connectors/mysql.html"""
    database, _, _ = source.table.partition(".")
    broker = connect.reference(place, connect.BROKER)
    return {
        "connector.class": "io.debezium.connector.mysql.MySqlConnector",
        **_read(name, source, place),
        # The server knows those who read its log by a number, and ends the connection of the first of two with one.
        "database.server.id": str(1_000_000 + int(hashlib.sha256(reader.encode()).hexdigest()[:7], 16)),
        "database.include.list": re.escape(database),
        # The log has rows without the names of columns: what the table was like at each place is in a topic.
        "schema.history.internal.kafka.bootstrap.servers": broker,
        "schema.history.internal.kafka.topic": f"{_prefix(name)}-history",
        "schema.history.internal.store.only.captured.tables.ddl": "true",
        "include.schema.changes": "false",
        "bigint.unsigned.handling.mode": "long",
    }


def _read(name: str, source: PostgresSource | MysqlSource, place: Place) -> dict[str, str]:
    """What Debezium's connectors have in common."""
    return {
        "tasks.max": "1",
        "database.hostname": source.host,
        "database.port": str(source.port),
        "database.user": source.user,
        "database.password": connect.reference(place, connect.password(name)),
        "topic.prefix": _prefix(name),
        "table.include.list": re.escape(source.table),
        "exactly.once.support": "required",
        "tombstones.on.delete": "false",
        # What the sink reads as its columns' types, without loss: JSON has no decimals, times and bytes of its own.
        "decimal.handling.mode": "string",
        "time.precision.mode": "isostring",
        "binary.handling.mode": "base64",
        "heartbeat.interval.ms": "10000",  # so that its place moves on while the table does not change
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "1",
    }
