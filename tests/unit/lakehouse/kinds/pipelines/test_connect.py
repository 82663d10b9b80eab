from __future__ import annotations

from typing import Any

import pytest

from lakehouse.kinds import CATALOGS
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.pipelines.connect import CONNECT, PACKAGES, VALUES
from lakehouse.kinds.pipelines.connectors import connectors
from lakehouse.services.service import Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.ports import ports
from tests.unit.lakehouse.kinds.pipelines.streaming import ORDERS, lakehouse
from tests.unit.lakehouse.services.place import Somewhere, as_text, local


def of(given: Lakehouse, name: str) -> Service:
    [found] = [each for each in services(given, local(given), Somewhere(given)) if each.name == name]
    return found


def file(service: Service, path: str) -> dict[str, str]:
    [text] = [as_text(each.text) for each in service.files if each.path == path]
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_stack_has_kafka_and_connect_only_for_pipelines() -> None:
    given = lakehouse()
    without = Lakehouse.model_validate(given.model_dump(mode="json", exclude_unset=True, exclude={"pipelines"}))
    before = services(without, local(without), Somewhere(without))
    after = services(given, local(given), Somewhere(given))
    assert [each.name for each in after] == [*(each.name for each in before), "kafka", "connect"]
    assert ports(given, "local").keys() - ports(without, "local").keys() == {
        "kafka",
        "kafka-inner",
        "kafka-controller",
        "connect",
    }
    assert after[: len(before)] == before


def test_every_value_that_connectors_refer_to_is_in_the_file() -> None:
    given = lakehouse()
    place = Somewhere(given)
    made = connectors(given, "local", place, endpoints(given, local(given), place).catalogs)
    values = file(of(given, "connect"), VALUES)
    asked = {
        value.removesuffix("}").rpartition(":")[2]
        for each in made.values()
        for config in each.values()
        for value in config.values()
        if value.startswith("${file:")
    }
    assert asked == values.keys()
    assert values["broker"] == f"kafka.internal:{place.port('kafka-inner')}"
    assert values["lake.s3.secret-access-key"] == "<secret:store-secret-key>"
    assert values["shop-source.password"] == "<secret:pipeline-shop>"


def test_a_pipeline_is_no_change_of_the_worker_unless_it_brings_a_secret_or_a_catalog() -> None:
    one, two = lakehouse({"orders": ORDERS}), lakehouse({"orders": ORDERS, "more": {**ORDERS, "from": {"topic": "x"}}})
    assert of(one, "connect") == of(two, "connect")
    assert of(one, "connect") != of(lakehouse(), "connect")


def test_only_files_of_the_worker_can_be_referred_to() -> None:
    settings = file(of(lakehouse(), "connect"), "worker.properties")
    assert settings["config.providers.file.param.allowed.paths"] == "/config/connect"


@pytest.mark.parametrize("word", CONNECT.catalogs)
def test_catalogs_that_it_writes_to_are_kinds(word: str) -> None:
    assert word in CATALOGS


GLUE = {"kind": "glue", "region": "eu-west-1"}


@pytest.mark.parametrize(
    ("entry", "further"),
    [
        ("rest", []),
        ("nessie", ["iceberg-spark-runtime-4.1"]),
        (GLUE, []),
    ],
)
def test_the_clients_of_a_catalog_are_there_last(entry: Any, further: list[str]) -> None:
    found = of(lakehouse(catalogs={"lake": entry}), "connect")
    assert list(found.packages[len(PACKAGES) :]) == further
    classes = dict(found.environment)["CLASSPATH"].split(":")
    assert [each.removesuffix("/*").rpartition("/")[2] for each in classes] == list(found.packages)


def test_glues_keys_are_in_a_file_of_the_worker_alone() -> None:
    found = of(lakehouse(catalogs={"lake": GLUE}), "connect")
    path = dict(found.environment)["AWS_SHARED_CREDENTIALS_FILE"].removeprefix("/config/connect/")
    [text] = [as_text(each.text) for each in found.files if each.path == path]
    assert "aws_secret_access_key = <secret:glue-secret-key>" in text
    assert "AWS_SHARED_CREDENTIALS_FILE" not in dict(of(lakehouse(), "connect").environment)


def test_an_empty_entry_keeps_the_worker_so_that_it_can_remove_what_is_left() -> None:
    given = lakehouse({})
    assert [each.name for each in services(given, local(given), Somewhere(given))][-2:] == ["kafka", "connect"]
