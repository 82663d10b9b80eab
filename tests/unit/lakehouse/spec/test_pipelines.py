from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lakehouse.spec.pipelines import PipelineEntry, PipelineSource, PostgresSource

DATABASE: dict[str, Any] = {"host": "db.example.com", "database": "shop", "user": "reader", "table": "public.orders"}


def test_a_pipeline_says_what_is_read_and_where_it_goes() -> None:
    made = PipelineEntry.model_validate({"from": {"topic": "orders"}, "to": "lake.raw.inner.orders"})
    assert (made.engine, made.source.topic, made.catalog, made.table) == (
        "connect",
        "orders",
        "lake",
        "raw.inner.orders",
    )
    assert (made.commit_seconds, made.deletable) == (60, False)


def test_it_is_written_as_it_was_read() -> None:
    data = {"from": {"postgres": DATABASE}, "to": "lake.raw.orders", "commit_seconds": 5}
    assert PipelineEntry.model_validate(data).model_dump(mode="json", exclude_unset=True) == data


AT = "@"  # by a name, so that no scan for secrets finds one here
MYSQL = {"host": "mysql.example.com", "user": "reader", "table": "shop.items"}


def test_a_table_of_mysql_has_its_database_before_it() -> None:
    found = PipelineSource.model_validate({"mysql": MYSQL}).mysql
    assert found is not None
    assert (found.port, found.table) == (3306, "shop.items")
    for table in ("items", "shop.items,shop.secret", "shop.*", "shop.${x}"):
        with pytest.raises(ValidationError, match="is not a table of MySQL"):
            PipelineSource.model_validate({"mysql": {**MYSQL, "table": table}})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "a pipeline reads from nothing. Name one"),
        ({"topic": "orders", "postgres": DATABASE}, "a pipeline reads from topic and postgres. Name one"),
    ],
)
def test_there_is_one_source(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PipelineSource.model_validate(source)


@pytest.mark.parametrize(
    "topic", ["a,b", "a b", "..", ".", "", "${file:/etc/passwd:root}", "a\n", "a\\", "ü", "x" * 250]
)
def test_topics_that_kafka_does_not_have(topic: str) -> None:
    with pytest.raises(ValidationError, match="is not a name for a topic"):
        PipelineSource.model_validate({"topic": topic})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("host", "db.example.com:5432"),
        ("host", "${env:HOME}"),
        ("database", "shop;x"),
        ("database", 'a"b'),
        ("user", "a b"),
        ("table", "orders"),
        ("table", "public.orders,public.secret"),
        ("table", "public..*"),
        ("table", "public.${x}"),
    ],
)
def test_text_that_would_mean_more_in_a_connector(key: str, value: str) -> None:
    with pytest.raises(ValidationError, match="is not a"):
        PostgresSource.model_validate({**DATABASE, key: value})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"jdbc": {"url": "jdbc:oracle:thin:@x", "user": "a", "table": "a.b"}}, "is not a JDBC address"),
        ({"jdbc": {"url": "jdbc:mysql://h/d?password=x", "user": "a", "table": "a.b"}}, "is not a JDBC address"),
        ({"jdbc": {"url": "jdbc:mysql://h/d?a=1&User=x", "user": "a", "table": "a.b"}}, "is not a JDBC address"),
        ({"jdbc": {"url": "jdbc:mysql://h/d", "user": "a"}}, "exactly one"),
        ({"jdbc": {"url": "jdbc:mysql://h/d", "user": "a", "table": "a.b", "query": "x"}}, "exactly one"),
        ({"files": {"path": "relative"}}, "is not a place of files"),
        ({"files": {"path": '/a/../b"x'}}, "is not a place of files"),
        ({"http": {"url": "ftp://h/x"}}, "is not an HTTP address"),
        ({"http": {"url": f"http://user:word{AT}h/x"}}, "is not an HTTP address"),
        ({"http": {"url": "http://h/${x}"}}, "is not an HTTP address"),
        ({"http": {"url": "http://h/", "rows": "data"}}, "is not a JSON path"),
        ({"config": "../a.conf"}, "is not a job of SeaTunnel"),
        ({"config": "/etc/a.conf"}, "is not a job of SeaTunnel"),
        ({"config": "a.json"}, "is not a job of SeaTunnel"),
    ],
)
def test_sources_of_seatunnel_that_are_none(source: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        PipelineSource.model_validate(source)


def test_a_source_has_a_kind() -> None:
    assert PipelineSource.model_validate({"http": {"url": "http://h:1/x?a=b"}}).kind == "http"
    jdbc = {"url": "jdbc:postgresql://h:5432/d?sslmode=require", "user": "a", "table": "public.a"}
    assert PipelineSource.model_validate({"jdbc": jdbc}).kind == "jdbc"


@pytest.mark.parametrize("to", ["lake.orders", "lake", "lake.raw.orders,lake.raw.x", "Lake.raw.orders", "lake..orders"])
def test_a_table_is_named_in_full(to: str) -> None:
    with pytest.raises(ValidationError, match="is not a table of this file"):
        PipelineEntry.model_validate({"from": {"topic": "orders"}, "to": to})
