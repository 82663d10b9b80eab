from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.strategies import text

from lakehouse.iceberg import types
from lakehouse.kinds import CATALOGS
from lakehouse.kinds.compose import endpoints
from lakehouse.kinds.pipelines.seatunnel import SEATUNNEL
from lakehouse.kinds.pipelines.seatunnel_jobs import check, every, field, group, job, number, values
from lakehouse.spec import Lakehouse
from lakehouse.spec.pipeline_checks import check_pipelines
from tests.unit.lakehouse.kinds.pipelines.streaming import lakehouse
from tests.unit.lakehouse.services.place import Somewhere, as_text, local

JDBC = {"url": "jdbc:postgresql://db.example.com:5433/shop?sslmode=require", "user": "reader"}


def of(source: dict[str, Any], to: str = "lake.raw.orders", **more: Any) -> Lakehouse:
    kind = more.pop("kind", "rest")
    return lakehouse({"one": {"engine": "seatunnel", "from": source, "to": to, **more}}, catalogs={"lake": kind})


def made(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The job, with a list of the blocks of each part, as SeaTunnel reads it."""
    given = of(source, **more)
    [at] = endpoints(given, local(given), Somewhere(given)).catalogs
    text = as_text(job("one", given.pipelines["one"], given, at, "broker:9094"))
    parts = ("source", "transform", "sink")
    pairs: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list)
    return {key: [(name, _plain(each)) for name, each in of] if key in parts else _plain(of) for key, of in pairs}


def _plain(value: Any) -> Any:
    is_mapping = isinstance(value, list) and all(isinstance(each, tuple) for each in value)
    return {key: _plain(each) for key, each in value} if is_mapping else value


def source(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    [(name, found)] = made(given, **more)["source"]
    assert found.pop("result_table_name") == "rows"
    return {"plugin_name": name, **found}


def problems(source: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(".".join(map(str, each.at)), each.message) for each in check_pipelines(of(source, **more))]


def test_a_topic_flows_into_the_table() -> None:
    found = made({"topic": "orders"})
    [(kind, read)] = found["source"]
    assert (kind, read["topic"], read["bootstrap.servers"]) == ("Kafka", "orders", "broker:9094")
    assert read["schema"] == {"fields": {"id": "bigint"}}
    # Kafka's client would note what it has fetched, which can be more than it hands on, and than is in the table.
    assert read["kafka.config"] == {
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "auto.commit.interval.ms": str(2**31 - 1),
    }
    assert "consumer.group" not in read, "the server gives each job one of its own"
    assert read["start_mode"] == "group_offsets"  # it goes on where the job before ended
    [(_, write)] = found["sink"]
    assert (write["namespace"], write["table"], write["source_table_name"]) == ("raw", "orders", "rows")
    assert write["schema_save_mode"] == "ERROR_WHEN_SCHEMA_NOT_EXIST"


@pytest.mark.parametrize("kind", ["rest", {"kind": "glue", "region": "eu-west-1"}])
def test_the_sink_has_the_properties_of_the_catalog(kind: Any) -> None:
    [(_, write)] = made({"topic": "orders"}, kind=kind)["sink"]
    config = write["iceberg.catalog.config"]
    assert config["s3.secret-access-key"] == "<secret:store-secret-key>"
    assert {"type", "catalog-impl"} & config.keys()


def test_catalogs_that_it_writes_to_are_kinds() -> None:
    assert set(SEATUNNEL.catalogs) <= CATALOGS.keys()


@pytest.mark.parametrize(
    ("given", "has"),
    [
        (
            {"jdbc": {**JDBC, "table": "public.orders"}},
            {
                "plugin_name": "Jdbc",
                "url": JDBC["url"],
                "driver": "org.postgresql.Driver",
                "user": "reader",
                "password": "<secret:pipeline-one>",
                "table_path": "shop.public.orders",
            },
        ),
        (
            {"jdbc": {"url": "jdbc:mysql://db/shop", "user": "reader", "query": "SELECT `id` FROM orders"}},
            {
                "plugin_name": "Jdbc",
                "url": "jdbc:mysql://db/shop",
                "driver": "com.mysql.cj.jdbc.Driver",
                "user": "reader",
                "password": "<secret:pipeline-one>",
                "query": "SELECT `id` FROM orders",
            },
        ),
        (
            {"jdbc": {"url": "jdbc:mysql://db/shop", "user": "reader", "table": "shop.orders"}},
            {
                "plugin_name": "Jdbc",
                "url": "jdbc:mysql://db/shop",
                "driver": "com.mysql.cj.jdbc.Driver",
                "user": "reader",
                "password": "<secret:pipeline-one>",
                "table_path": "shop.orders",
            },
        ),
        (
            {"files": {"path": "/data/in", "format": "csv"}},
            {
                "plugin_name": "LocalFile",
                "path": "/data/in",
                "file_format_type": "csv",
                "skip_header_row_number": 1,
                "schema": {"fields": {"id": "bigint"}},
            },
        ),
        (
            {"files": {"path": "s3://landing/in/", "format": "parquet"}},
            {
                "plugin_name": "S3File",
                "bucket": "s3a://landing",
                "path": "/in/",
                "file_format_type": "parquet",
                "fs.s3a.endpoint": "http://s3proxy.internal:9000",
                "fs.s3a.aws.credentials.provider": "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider",
                "access_key": "<secret:store-access-key>",
                "secret_key": "<secret:store-secret-key>",
                "hadoop_s3_properties": {
                    "fs.s3a.path.style.access": "true",
                    "fs.s3a.connection.ssl.enabled": "false",
                },
            },
        ),
        (
            {"http": {"url": "http://api.example.com:8000/v1/orders?all=1", "seconds": 30, "rows": "$.data.*"}},
            {
                "plugin_name": "Http",
                "url": "http://api.example.com:8000/v1/orders?all=1",
                "method": "GET",
                "format": "json",
                "content_field": "$.data.*",
                "schema": {"fields": {"id": "bigint"}},
            },
        ),
    ],
)  # fmt: skip
def test_what_a_source_is(given: dict[str, Any], has: dict[str, Any]) -> None:
    assert source(given) == has
    assert problems(given) == []


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"files": {"path": "/in"}}, 0),
        ({"jdbc": {**JDBC, "table": "public.orders"}}, 0),
        ({"http": {"url": "https://api.example.com/rates", "seconds": 300}}, 300),
        ({"topic": "a"}, 5),
    ],
)
def test_every_job_has_an_end_and_those_of_topics_and_http_start_again(given: dict[str, Any], seconds: int) -> None:
    assert made(given)["env"] == {
        "job.name": "one",
        "job.mode": "BATCH",
        "job.retry.times": 0,
        "parallelism": 1,
    }
    assert every(of(given, commit_seconds=5).pipelines["one"]) == seconds


def test_transforms_follow_each_other() -> None:
    first, second = "SELECT id, word FROM rows", "SELECT id FROM rows WHERE word <> '${x}\"'"
    found = made({"topic": "orders"}, transforms=[first, second], columns={"id": "long", "word": "string"})
    assert [
        (each["source_table_name"], each["result_table_name"], each["query"]) for _, each in found["transform"]
    ] == [
        ("rows", "rows_1", first),
        ("rows_1", "rows_2", second),
    ]
    assert found["sink"][0][1]["source_table_name"] == "rows_2"
    assert found["source"][0][1]["schema"]["fields"] == {"id": "bigint", "word": "string"}


@settings(deadline=None, max_examples=30)  # the machine may be busy
@given(text(min_size=1, max_size=50))
def test_no_sql_of_the_user_is_more_than_text(sql: str) -> None:
    assert made({"topic": "orders"}, transforms=[sql])["transform"][0][1]["query"] == sql
    assert source({"jdbc": {**JDBC, "query": sql}})["query"] == sql


@pytest.mark.parametrize(
    ("kind", "field_"),
    [
        ("long", "bigint"),
        ("decimal(10, 2)", "decimal(10, 2)"),
        ("timestamptz", "string"),
        ("binary", "string"),
        ("list<string>", "array<string>"),
        ("map<string, long>", "map<string, bigint>"),
        ("struct<a: int, b: struct<c: date>>", {"a": "int", "b": {"c": "string"}}),
    ],
)
def test_types_in_seatunnels_words(kind: str, field_: Any) -> None:
    assert field(types.parse(kind)) == field_


@pytest.mark.parametrize("kind", ["timestamp_ns", "list<struct<a: int>>", "list<list<int>>"])
def test_types_that_it_does_not_have(kind: str) -> None:
    with pytest.raises(ValueError, match="SeaTunnel has no type for"):
        field(types.parse(kind))
    sql = ["SELECT id FROM rows"]
    [(at, message)] = problems({"topic": "orders"}, columns={"id": "long", "x": kind}, transforms=sql)
    assert at == "pipelines.one.columns.x"
    assert 'which "x" is. Leave it out with `columns`' in message


@pytest.mark.parametrize(
    ("given", "more", "at", "message"),
    [
        ({"topic": "a"}, {"deletable": True}, "deletable", "goes when the file has it no more"),
        ({"config": "a.conf"}, {"transforms": ["SELECT 1 FROM rows"]}, "transforms", "has transforms of its own"),
        ({"config": "a.conf"}, {"columns": {"id": "long"}}, "columns", "`config` has the types of its rows by itself"),
        ({"topic": "a"}, {"kind": "nessie"}, "to", "which SeaTunnel cannot write to. Give it the kind rest"),
        (
            {"postgres": {"host": "db", "database": "shop", "user": "reader", "table": "public.orders"}},
            {"to": "lake.raw.changes"},
            "from.postgres",
            "SeaTunnel does not read `postgres` here. Write engine: connect",
        ),
        ({"topic": "a"}, {"transforms": ["DROP TABLE x"]}, "transforms.0", "it is not a SELECT"),
        ({"topic": "a"}, {"columns": {"id": "long", "idd": "long"}}, "columns.idd", 'Did you mean "id"?'),
        ({"topic": "a"}, {"columns": {"id": "long", "word": "string"}}, "columns.word", "would be lost. Remove it"),
        ({"topic": "a"}, {"to": "lake.raw.words", "columns": {"word": "string"}}, "columns", 'needs "id", which they'),
        ({"files": {"path": "s3://warehous/in"}}, {}, "from.files.path", 'Did you mean "warehouse"?'),
        (
            {"jdbc": {"url": "jdbc:mysql://db/shop", "user": "me", "table": "a.shop.items"}},
            {},
            "from.jdbc.table",
            "is not a table of MySQL",
        ),
    ],
)
def test_what_it_cannot_do(given: dict[str, Any], more: dict[str, Any], at: str, message: str) -> None:
    [found] = problems(given, **more)
    assert found[0] == f"pipelines.one.{at}"
    assert message in found[1]


def test_what_is_of_another_engine_is_none_of_its_business() -> None:
    assert list(check(lakehouse())) == []


def test_a_job_of_the_user_knows_addresses_and_keys_by_words() -> None:
    given = of({"config": "a.conf"})
    catalogs = {each.name: each for each in endpoints(given, local(given), Somewhere(given)).catalogs}
    found = json.loads(as_text(values("one", catalogs, "broker:9094")))
    assert found["lakehouse.kafka"] == "broker:9094"
    assert found["lakehouse.catalogs.lake"]["type"] == "rest"
    assert found["lakehouse.store.secret_key"] == "<secret:store-secret-key>"
    assert found["lakehouse.password"] == "<secret:pipeline-one>"


def test_a_job_starts_over_only_if_it_reads_or_writes_something_else() -> None:
    one, more = (of({"topic": "orders"}, commit_seconds=each).pipelines["one"] for each in (1, 2))
    other = of({"topic": "other"}).pipelines["one"]
    assert number("demo", "one", one) == number("demo", "one", more)
    assert len({number("demo", "one", one), number("demo", "two", one), number("demo", "one", other)}) == 3
    assert 0 < number("demo", "one", one) < 2**63


def test_a_job_that_starts_over_has_another_group_of_consumers() -> None:
    first, second = (group(of({"topic": each}), "one") for each in ("orders", "other"))
    assert first != second
    assert first == group(of({"topic": "orders"}, commit_seconds=7), "one")
