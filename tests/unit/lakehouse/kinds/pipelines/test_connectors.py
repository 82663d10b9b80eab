from __future__ import annotations

import re

from lakehouse.kinds.compose import endpoints
from lakehouse.kinds.pipelines.connectors import Config, connectors, slot, topic_of
from lakehouse.spec import Lakehouse
from tests.unit.lakehouse.kinds.pipelines.streaming import ITEMS, ORDERS, SHOP, lakehouse
from tests.unit.lakehouse.services.place import Somewhere, local


def made(of: Lakehouse) -> dict[str, dict[str, Config]]:
    place = Somewhere(of)
    return connectors(of, "local", place, endpoints(of, local(of), place).catalogs)


def test_a_topic_needs_a_sink_and_a_database_a_source_too() -> None:
    found = made(lakehouse())
    assert {name: list(each) for name, each in found.items()} == {
        "orders": ["orders-sink"],
        "shop": ["shop-source", "shop-sink"],
    }


def test_the_sink_reads_the_topic_and_writes_the_table_of_the_file() -> None:
    config = made(lakehouse())["orders"]["orders-sink"]
    assert config["topics"] == "orders"
    assert config["iceberg.tables"] == "raw.orders"
    assert config["iceberg.tables.auto-create-enabled"] == config["iceberg.tables.evolve-schema-enabled"] == "false"
    assert config["iceberg.control.commit.interval-ms"] == "5000"
    assert "transforms" not in config


def test_what_the_source_writes_is_what_the_sink_reads() -> None:
    of = lakehouse()
    source, sink = made(of)["shop"].values()
    assert sink["topics"] == topic_of("shop", of.pipelines["shop"]) == f"{source['topic.prefix']}.public.orders"
    assert sink["transforms.changes.type"].endswith(".DebeziumTransform")


def test_a_message_of_a_topic_may_have_any_key() -> None:
    """A key that is no JSON would stop the pipeline. That of a change is one, which the transform reads."""
    found = made(lakehouse())
    assert found["orders"]["orders-sink"]["key.converter"].endswith(".ByteArrayConverter")
    assert "key.converter" not in found["shop"]["shop-sink"]


def test_a_regular_expression_names_only_the_table() -> None:
    pattern = made(lakehouse())["shop"]["shop-source"]["table.include.list"]
    assert re.fullmatch(pattern, "public.orders")
    assert not re.fullmatch(pattern, "public_orders")


def test_a_mysql_is_read_by_its_log_and_what_its_tables_were_like_is_in_a_topic() -> None:
    of = lakehouse({"items": ITEMS})
    source, sink = made(of)["items"].values()
    assert sink["topics"] == topic_of("items", of.pipelines["items"]) == "cdc-items.shop.items"
    assert sink["transforms.changes.type"].endswith(".DebeziumTransform")
    assert (source["database.include.list"], source["table.include.list"]) == ("shop", r"shop\.items")
    assert source["schema.history.internal.kafka.topic"] == "cdc-items-history"
    assert source["schema.history.internal.kafka.bootstrap.servers"].startswith("${file:")
    assert 0 < int(source["database.server.id"]) < 2**32
    assert "slot.name" not in source, "nobody looks for a replication slot"


def test_two_readers_of_a_mysql_have_different_numbers() -> None:
    both = made(lakehouse({"items": ITEMS, "others": {**ITEMS, "to": "lake.raw.orders"}}))
    assert len({each[f"{name}-source"]["database.server.id"] for name, each in both.items()}) == 2


def test_secrets_and_addresses_are_references_to_a_file() -> None:
    every = [config for each in made(lakehouse({"shop": SHOP, "items": ITEMS})).values() for config in each.values()]
    assert all(isinstance(value, str) for config in every for value in config.values())
    for config in every:
        for key, value in config.items():
            secret = "password" in key or "secret" in key or "access-key" in key or key.endswith("uri")
            assert value.startswith("${file:/config/connect/values.properties:") or not secret, key


def test_each_pipeline_has_its_own_topic_to_agree_on_commits() -> None:
    found = made(lakehouse({"one": ORDERS, "two": {**ORDERS, "from": {"topic": "more"}}}))
    topics = {config["iceberg.control.topic"] for each in found.values() for config in each.values()}
    assert len(topics) == 2


def test_a_slot_is_a_valid_name_and_of_one_stack() -> None:
    longest = slot("a" * 31, "b" * 31, "c" * 30)
    assert re.fullmatch(r"[a-z0-9_]{1,63}", longest)
    assert len({slot("demo", "local", "shop"), slot("demo", "other", "shop"), slot("other", "local", "shop")}) == 3
