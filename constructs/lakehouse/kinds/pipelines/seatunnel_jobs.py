"""The jobs of which pipelines consist, in SeaTunnel's configuration. Pure.

https://seatunnel.apache.org/docs/2.3.8/concept/config
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lakehouse.iceberg import types
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.pipeline import catalog_settings, password_of
from lakehouse.spec import Lakehouse
from lakehouse.spec.model import Table
from lakehouse.spec.pipeline_sources import FilesSource, HttpSource, JdbcSource
from lakehouse.spec.pipelines import PipelineEntry
from lakehouse.spec.problems import KeyPath, Problem
from lakehouse.text.hocon import HoconBlocks, hocon
from lakehouse.text.placeholders import Secret, Text
from lakehouse.text.words import suggest

WORD = "seatunnel"
ROWS = "rows"  # the name of what a source yields, in the SQL of transforms
DRIVERS = {"postgresql": "org.postgresql.Driver", "mysql": "com.mysql.cj.jdbc.Driver"}
_OWN_TYPES = ("jdbc", "config")  # sources that know the types of their rows
# Without loss by way of JSON: the sink reads these from text, by Iceberg's rules.
_AS_TEXT = frozenset({"date", "time", "timestamp", "timestamptz", "uuid", "binary", "fixed"})
# A job's branch, as `attempt` in seatunnel_rows.bsh names it: with the milliseconds of its start in base 36.
_BRANCH = re.compile(r"pipeline-([a-z][a-z0-9_]*)-[0-9a-z]{8}")
_PLAIN = {
    "boolean": "boolean",
    "int": "int",
    "long": "bigint",
    "float": "float",
    "double": "double",
    "string": "string",
}


def job(name: str, pipeline: PipelineEntry, lakehouse: Lakehouse, at: CatalogEndpoint, broker: str) -> Text:
    """The job of a pipeline, whose source is not a job by itself."""
    chain = [ROWS, *(f"{ROWS}_{nth}" for nth in range(1, len(pipeline.transforms) + 1))]
    transforms = tuple(
        ("Sql", {"source_table_name": before, "result_table_name": after, "query": query})
        for before, after, query in zip(chain, chain[1:], pipeline.transforms, strict=False)
    )
    namespace, _, table = pipeline.table.rpartition(".")
    sink = {
        "source_table_name": chain[-1],
        "catalog_name": at.name,
        "iceberg.catalog.config": dict(catalog_settings(at)),
        "namespace": namespace,
        "table": table,
        # The bootstrap makes tables, and changes them.
        "schema_save_mode": "ERROR_WHEN_SCHEMA_NOT_EXIST",
        "data_save_mode": "APPEND_DATA",
        "iceberg.table.auto-create-props": {},
        "iceberg.table.schema-evolution-enabled": False,
        "iceberg.table.upsert-mode-enabled": False,
    }
    kind, source = _source(name, pipeline, lakehouse, at, broker)
    # The server starts what has failed again. SeaTunnel itself would go on after messages whose commit has failed.
    env = {"job.name": name, "job.mode": "BATCH", "job.retry.times": 0, "parallelism": 1}
    return hocon(
        {
            "env": env,
            "source": HoconBlocks(((kind, {"result_table_name": ROWS, **source}),)),
            "transform": HoconBlocks(transforms),
            "sink": HoconBlocks((("Iceberg", sink),)),
        }
    )


def values(name: str, catalogs: Mapping[str, CatalogEndpoint], broker: str) -> Text:
    """What a job of the user's can refer to: ``${lakehouse.kafka}``, ``${lakehouse.catalogs.lake}`` and others."""
    store = next(iter(catalogs.values())).store
    found = {
        "kafka": broker,
        **{f"catalogs.{each}": dict(catalog_settings(at)) for each, at in catalogs.items()},
        "store.endpoint": store.internal,
        "store.region": store.region,
        "store.access_key": store.access_key,
        "store.secret_key": store.secret_key,
        "password": Secret(password_of(name), "password"),
    }
    return hocon({f"lakehouse.{key}": value for key, value in found.items()})


def number(lakehouse: str, name: str, pipeline: PipelineEntry) -> int:
    """The number of a job. It is another one if what it reads, or where that goes, is another: it starts over."""
    said = f"{lakehouse}/{name}/{pipeline.source.model_dump_json(exclude_unset=True)}/{pipeline.to}"
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:7])


def every(pipeline: PipelineEntry) -> int:
    """How many seconds after its end a job starts again; 0: it does not.

    SeaTunnel has jobs without an end for topics and HTTP too, and they do not do what they should in 2.3.8. That of a
    topic reads what it has when the job starts, and nothing that comes later. That of HTTP waits between two requests
    with the lock of checkpoints, which then run out of time, so that no row is ever committed.
    """
    if pipeline.source.topic is not None:
        return pipeline.commit_seconds
    return pipeline.source.http.seconds if pipeline.source.http is not None else 0


def group(lakehouse: Lakehouse, name: str) -> str:
    """The group of consumers under which it is noted what of a topic is in the table.

    Another job (:func:`number`) has another group, and so begins with the oldest message.
    """
    return f"{WORD}-{name}-{number(lakehouse.name, name, lakehouse.pipelines[name])}"


def writes_to_branches(pipeline: PipelineEntry) -> bool:
    """Whether its jobs write to branches of its table. A job of the user's says by itself where it writes to."""
    return pipeline.engine == WORD and pipeline.source.config is None


def pipeline_of(branch: str) -> str:
    """The pipeline for whose job a branch of a table was made; empty: it was made for something else."""
    found = _BRANCH.fullmatch(branch)
    return found[1] if found else ""


def columns(pipeline: PipelineEntry, lakehouse: Lakehouse) -> dict[str, types.Type]:
    """What a row of the source has. Empty if its table is not in the file."""
    if pipeline.columns:
        return {name: text.parsed for name, text in pipeline.columns.items()}
    table = _table(pipeline, lakehouse)
    return {name: column.iceberg_type for name, column in table.columns.items()} if table else {}


def _table(pipeline: PipelineEntry, lakehouse: Lakehouse) -> Table | None:
    namespace, _, leaf = pipeline.table.rpartition(".")
    catalog = lakehouse.catalogs.get(pipeline.catalog)
    space = catalog.namespaces.get(namespace) if catalog else None
    return space.tables.get(leaf) if space else None


def field(kind: types.Type) -> Any:
    """A type in SeaTunnel's words: text, or the fields of a row. Raises ValueError if it has none."""
    match kind:
        case types.Struct(inner):
            return {each.name: field(each.type) for each in inner}
        case types.List():
            return f"array<{_inner(kind.element)}>"
        case types.Map():
            return f"map<{_inner(kind.key)}, {_inner(kind.value)}>"
        case str():
            base = types.base(kind)
            if base in _AS_TEXT:
                return "string"
            if base == "decimal":
                return kind
            if base in _PLAIN:
                return _PLAIN[base]
    raise ValueError(f"SeaTunnel has no type for {kind}")


def check(lakehouse: Lakehouse) -> Iterator[Problem]:
    """What SeaTunnel cannot do, or would ignore."""
    for name, pipeline in lakehouse.pipelines.items():
        if pipeline.engine != WORD:
            continue
        at, read = ("pipelines", name), pipeline.source.kind
        if pipeline.deletable:
            message = "a pipeline of SeaTunnel goes when the file has it no more, and nothing that it wrote. Remove it"
            yield Problem((*at, "deletable"), message, ((*at, "engine"),))
        if "." in pipeline.table.rpartition(".")[0]:
            message = f"SeaTunnel knows no namespace inside another, as that of {pipeline.to} is. Choose another table"
            yield Problem((*at, "to"), f"{message}, or engine: connect", ((*at, "engine"),))
        if pipeline.columns and (read in _OWN_TYPES or _is_parquet(pipeline)):
            message = f"`{read}` has the types of its rows by itself. Remove it"
            yield Problem((*at, "columns"), message, ((*at, "from", read),))
        if pipeline.transforms and read == "config":
            message = "the job's file has transforms of its own. Write them there"
            yield Problem((*at, "transforms"), message, ((*at, "from", read),))
        for nth, query in enumerate(pipeline.transforms):
            if not query.lstrip().lower().startswith("select"):
                yield Problem((*at, "transforms", nth), "it is not a SELECT, which is all that SeaTunnel takes")
        yield from _of_source(at, pipeline, lakehouse)
        if read in _OWN_TYPES or _is_parquet(pipeline):
            continue
        if pipeline.columns and not pipeline.transforms:
            yield from _of_table(at, pipeline, lakehouse)
        for column, kind in columns(pipeline, lakehouse).items():
            try:
                field(kind)
            except ValueError as error:
                fix = "Leave it out with `columns`, which says what a row of the source has"
                where = (*at, "columns", column) if pipeline.columns else (*at, "to")
                yield Problem(where, f'{error}, which "{column}" is. {fix}')


def _of_source(at: KeyPath, pipeline: PipelineEntry, lakehouse: Lakehouse) -> Iterator[Problem]:
    source = pipeline.source
    if source.jdbc is not None and source.jdbc.system == "mysql" and (source.jdbc.table or ".").count(".") > 1:
        message = f'"{source.jdbc.table}" is not a table of MySQL: write its database, a dot and its name'
        yield Problem((*at, "from", "jdbc", "table"), message)
    if source.files is not None and source.files.path.startswith("s3://"):
        bucket = source.files.path.removeprefix("s3://").partition("/")[0]
        if bucket not in lakehouse.buckets:
            fix = suggest(bucket, lakehouse.buckets) or " Declare it there"
            message = f'"{bucket}" is not one of `buckets`, which the stack\'s store has.{fix}'
            yield Problem((*at, "from", "files", "path"), message)


def _of_table(at: KeyPath, pipeline: PipelineEntry, lakehouse: Lakehouse) -> Iterator[Problem]:
    """Columns that the table does not have, whose values would be lost, and those that it cannot do without."""
    table = _table(pipeline, lakehouse)
    if table is None:
        return
    for name in pipeline.columns:
        if name not in table.columns:
            near = suggest(name, table.columns) or " Remove it"
            yield Problem(
                (*at, "columns", name), f"{pipeline.to} has no such column, so its values would be lost.{near}"
            )
    for name, column in table.columns.items():
        if column.required and name not in pipeline.columns:
            message = f'each row of {pipeline.to} needs "{name}", which they lack. Add it'
            yield Problem((*at, "columns"), message)


def _is_parquet(pipeline: PipelineEntry) -> bool:
    return pipeline.source.files is not None and pipeline.source.files.format == "parquet"


def _inner(kind: types.Type) -> str:
    text = field(kind)
    if not isinstance(text, str) or text.startswith(("array", "map")):
        raise ValueError(f"SeaTunnel has no type for {kind} inside a list or a map")
    return text


def _source(
    name: str, pipeline: PipelineEntry, lakehouse: Lakehouse, at: CatalogEndpoint, broker: str
) -> tuple[str, dict[str, Any]]:
    """A source and its settings."""
    source = pipeline.source
    schema = {"fields": {column: field(kind) for column, kind in columns(pipeline, lakehouse).items()}}
    if source.topic is not None:
        return "Kafka", {
            "bootstrap.servers": broker,
            "topic": source.topic,
            # It goes on where the job before ended: with "earliest", each would read all of the topic. `seatunnel.bsh`
            # gives each job a group of its own.
            "start_mode": "group_offsets",
            "format": "json",
            "format_error_handle_way": "fail",
            # What it has fetched, which can be more than it hands on, is not noted by itself.
            "kafka.config": {
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "auto.commit.interval.ms": "2147483647",
            },
            "schema": schema,
        }
    if source.jdbc is not None:
        return _jdbc(name, source.jdbc)
    if source.files is not None:
        return _files(source.files, schema, at)
    assert source.http is not None  # a job of the user's is not rendered
    return _http(source.http, schema)


def _jdbc(name: str, source: JdbcSource) -> tuple[str, dict[str, Any]]:
    asked = {"query": source.query} if source.query is not None else {"table_path": source.whole_table}
    return "Jdbc", {
        "url": source.url,
        "driver": DRIVERS[source.system],
        "user": source.user,
        "password": Secret(password_of(name), "password"),
        **asked,
    }


def _files(source: FilesSource, schema: Mapping[str, Any], at: CatalogEndpoint) -> tuple[str, dict[str, Any]]:
    said: dict[str, Any] = {"file_format_type": source.format}
    if source.format != "parquet":
        said["schema"] = schema
    if source.format == "csv":
        said["skip_header_row_number"] = 1 if source.header else 0
    if not source.path.startswith("s3://"):
        return "LocalFile", {"path": source.path, **said}
    bucket, _, folder = source.path.removeprefix("s3://").partition("/")
    return "S3File", {
        "bucket": f"s3a://{bucket}",
        "path": f"/{folder}",
        "fs.s3a.endpoint": at.store.internal,
        "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
        "access_key": at.store.access_key,
        "secret_key": at.store.secret_key,
        "hadoop_s3_properties": {"fs.s3a.path.style.access": "true", "fs.s3a.connection.ssl.enabled": "false"},
        **said,
    }


def _http(source: HttpSource, schema: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return "Http", {
        "url": source.url,
        "method": "GET",
        "format": "json",
        "schema": schema,
        **({"content_field": source.rows} if source.rows is not None else {}),
    }
