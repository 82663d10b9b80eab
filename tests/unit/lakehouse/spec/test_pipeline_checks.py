from __future__ import annotations

from typing import Any

import pytest

from lakehouse.spec import Lakehouse
from lakehouse.spec.checks import check
from lakehouse.spec.pipeline_checks import check_pipelines

CDC = "struct<op: string, ts: timestamptz, offset: long>"
DATABASE = {"host": "db", "database": "shop", "user": "reader", "table": "public.orders"}


def lakehouse(pipelines: dict[str, Any], kind: Any = "rest", **more: Any) -> Lakehouse:
    tables = {
        "orders": {"columns": {"id": "long"}},
        "changes": {"columns": {"id": "long", "_cdc": CDC}},
        "half": {"columns": {"id": "long", "_cdc": "struct<op: string, ts: timestamp>"}},
        "flat": {"columns": {"id": "long", "_cdc": "string"}},
        "newest": {"columns": {"id": "long"}, "format_version": 3},
    }
    views = {"seen": {"sql": {"trino": "SELECT 1 AS x"}, "columns": {"x": "int"}}}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {"location": "s3://warehouse/lake", "namespaces": {"raw": {"tables": tables, "views": views}}}
            },
            "pipelines": pipelines,
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": kind}}, **more},
        }
    )


def topic(to: str = "lake.raw.orders", name: str = "orders") -> dict[str, Any]:
    return {"from": {"topic": name}, "to": to}


def found(*args: Any, **more: Any) -> list[tuple[str, str]]:
    return [(".".join(map(str, each.at)), each.message) for each in check_pipelines(lakehouse(*args, **more))]


def test_a_pipeline_that_works() -> None:
    both = {"orders": topic(), "shop": {"from": {"postgres": DATABASE}, "to": "lake.raw.changes"}}
    assert found(both) == []
    assert check(lakehouse(both)) == []


DOCKER = {"runtime": "docker", "store": "s3proxy", "catalogs": {"lake": "rest"}}
HOSTS = {"runtime": "hosts", "hosts": {"a": {"address": "10.0.0.11"}}, "clients": ["10.0.0.1"], "network": "trusted"}
ELSEWHERE = {**HOSTS, "store": "s3proxy", "catalogs": {"lake": "nessie"}}


def test_pipelines_run_in_containers_too() -> None:
    both = {"orders": topic(), "more": {**topic(name="more"), "engine": "seatunnel"}}
    assert found(both, contained=DOCKER) == []
    assert found({}, contained=DOCKER) == []


def test_no_pipelines_any_more_is_refused_where_their_engine_does_not_run() -> None:
    [(at, said)] = found({}, prod=ELSEWHERE)
    assert (at, said) == ("pipelines", "Kafka Connect does not run on runtime: hosts, where stacks.prod is. Remove it")


@pytest.mark.parametrize(
    ("source", "at", "value"),
    [
        ({"postgres": {**DATABASE, "host": "127.0.0.1"}}, "postgres.host", "127.0.0.1"),
        ({"mysql": {"host": "localhost", "user": "a", "table": "shop.items"}}, "mysql.host", "localhost"),
        ({"jdbc": {"url": "jdbc:postgresql://localhost:5432/shop", "user": "a", "table": "public.a"}}, "jdbc.url", ""),
        ({"http": {"url": "http://127.0.0.1:8000/rates"}}, "http.url", "http://127.0.0.1:8000/rates"),
    ],
)
def test_a_source_that_a_container_would_look_for_in_itself(source: dict[str, Any], at: str, value: str) -> None:
    cdc = "postgres" in source or "mysql" in source
    pipeline = {"from": source, "to": "lake.raw.changes" if cdc else "lake.raw.orders"}
    pipeline |= {} if cdc else {"engine": "seatunnel"}
    assert found({"one": pipeline}) == []
    [(place, said)] = found({"one": pipeline}, contained=DOCKER)
    assert place == f"pipelines.one.from.{at}"
    assert f'{value}" cannot be reached: the services of stacks.contained run in containers, and there it is' in said
    assert said.endswith("Name a host that containers and this machine both know")


def test_a_folder_of_this_machine_that_containers_do_not_see() -> None:
    def files(path: str) -> list[tuple[str, str]]:
        read = {"engine": "seatunnel", "from": {"files": {"path": path}}, "to": "lake.raw.orders"}
        return found({"one": read}, contained=DOCKER)

    assert files("s3://warehouse/in") == []
    [(at, said)] = files("/srv/in")
    assert at == "pipelines.one.from.files.path"
    assert said.startswith('"/srv/in" is a folder of this machine, and the services of stacks.contained run')


@pytest.mark.parametrize("more", [{"columns": {"id": "long"}}, {"transforms": ["SELECT id FROM rows"]}])
def test_what_only_seatunnel_does_with_rows(more: dict[str, Any]) -> None:
    [(at, message)] = found({"orders": {**topic(), **more}})
    assert at == f"pipelines.orders.{next(iter(more))}"
    assert "Kafka Connect does not know `" in message
    assert found({"orders": {**topic(), **more, "engine": "seatunnel"}}) == []


def test_a_source_of_another_engine() -> None:
    [(at, message)] = found({"orders": {**topic(), "from": {"http": {"url": "http://a/b"}}}})
    assert at == "pipelines.orders.from.http"
    assert message == "Kafka Connect does not read `http` here. Write engine: seatunnel"


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("lak.raw.orders", '"lak" is not one of `catalogs`. Did you mean "lake"?'),
        ("lake.raw.order", '"lake.raw.order" is not a table of the file. Did you mean "lake.raw.orders"?'),
        ("lake.other.t", '"lake.other.t" is not a table of the file. Declare it with its columns: '),
        ("lake.raw.seen", '"lake.raw.seen" is a view, and rows go into tables. Declare it'),
        ("lake.raw.newest", "lake.raw.newest has Iceberg's format 3, which pipelines were not tried with"),
    ],
)
def test_a_table_that_no_pipeline_can_write_to(to: str, message: str) -> None:
    [(at, said)] = found({"orders": topic(to)})
    assert at == "pipelines.orders.to"
    assert said.startswith(message)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("orders", 'lake.raw.orders gets one row for each change, and has no column "_cdc" that says'),
        ("half", 'the column "_cdc" of lake.raw.half lacks ts: timestamptz or offset: long'),
        ("flat", 'the column "_cdc" of lake.raw.flat lacks op: string, ts: timestamptz or offset: long'),
    ],
)
def test_a_table_of_changes_says_what_each_row_is(table: str, message: str) -> None:
    [(at, said)] = found({"shop": {"from": {"postgres": DATABASE}, "to": f"lake.raw.{table}"}})
    assert at == "pipelines.shop.to"
    assert said.startswith(message)
    assert said.endswith(f"Declare `_cdc: {CDC}` among its columns")


@pytest.mark.parametrize("name", ["__consumer_offsets", "connect-config", "control-orders", "cdc-shop.public.orders"])
def test_topics_that_others_make(name: str) -> None:
    [(at, said)] = found({"orders": topic(name=name)})
    assert at == "pipelines.orders.from.topic"
    assert said.endswith("as topics of Kafka and of pipelines do. Choose another name")


def test_two_pipelines_that_would_write_each_row_twice() -> None:
    [(at, said)] = found({"one": topic(), "two": topic()})
    assert at == "pipelines.two"
    assert said == '"one" already reads that into lake.raw.orders, so each row would be there twice. Remove one.'
    assert found({"one": topic(), "two": topic("lake.raw.changes"), "three": topic(name="more")}) == []


def test_a_catalog_that_the_sink_cannot_write_to() -> None:
    [(at, said)] = found({"orders": topic()}, kind="hive")
    assert at == "pipelines.orders.to"
    assert said.startswith(
        '"lake" is of kind hive in stacks.local, which Kafka Connect cannot write to. Give it the kind'
    )


def test_a_stack_that_has_no_engine_for_pipelines() -> None:
    aws = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}}
    [(at, said)] = found({"orders": topic()}, cloud=aws)
    assert at == "pipelines.orders.engine"
    assert said.startswith("Kafka Connect does not run in AWS, where stacks.cloud is. ")


def test_a_secure_stack_has_no_pipelines() -> None:
    secured = Lakehouse.model_validate(
        {
            **lakehouse({"orders": topic()}).model_dump(mode="json", exclude_unset=True),
            "stacks": {
                "local": {"runtime": "process", "store": "s3proxy", "secure": True, "catalogs": {"lake": "rest"}}
            },
        }
    )
    said = [each.message for each in check(secured)]
    assert any("the stack is `secure`, and Kafka cannot be: this release has no TLS for it" in each for each in said)
    assert any("and Kafka Connect cannot be" in each for each in said)


def test_two_users_read_the_same_changes() -> None:
    other = {**DATABASE, "user": "other"}
    both = {name: {"from": {"postgres": of}, "to": "lake.raw.changes"} for name, of in (("a", DATABASE), ("b", other))}
    [(at, message)] = found(both)
    assert at == "pipelines.b"
    assert message.startswith('"a" already reads that into lake.raw.changes')


def test_names_of_topics_that_kafka_takes_for_one_are_refused() -> None:
    both = {"a": topic(name="shop.orders"), "b": topic(name="shop_orders", to="lake.raw.half")}
    [(at, message)] = found(both)
    assert at == "pipelines.b.from.topic"
    assert message.startswith('Kafka takes "shop_orders" and "shop.orders" for one name')
    assert found({"a": topic(name="shop.orders"), "b": topic(name="shop.orders", to="lake.raw.half")}) == []
