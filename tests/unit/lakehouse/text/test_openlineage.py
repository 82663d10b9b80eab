"""Names of datasets in events, as Spark with openlineage-spark 1.53.0 and Trino 476 write them."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.text import openlineage
from lakehouse.text.openlineage import DatasetName, DatasetNames, Joiner

TRINO, NESSIE, FOLDER = "trino://127.0.0.1:8085", "hive://127.0.0.1:19120", "lake/bronze/orders_0f3c"
SHARED = "http://rest:8181"
NAMES = DatasetNames(
    TRINO,
    {"lake": "lake", "mart": "eu.mart", "hub": "hub", "glue": "glue"},
    {NESSIE: ["lake"], SHARED: ["mart", "hub"], "arn:aws:glue:": ["glue"]},
    {"lake_etl": ["lake", "etl"]},
)
ORDERS = DatasetName("iceberg", "lake.bronze.orders")


def joined(event: dict[str, Any], names: DatasetNames) -> dict[str, Any]:
    return Joiner(names).joined(event)


def of_trino(name: str) -> dict[str, Any]:
    return {"namespace": TRINO, "name": name, "facets": {"schema": {"fields": []}}}


def of_spark(name: str = "bronze.orders", link: str = NESSIE, catalog: str | None = None) -> dict[str, Any]:
    links = {"_producer": "spark", "identifiers": [{"namespace": link, "name": name, "type": "TABLE"}]}
    facets: dict[str, Any] = {"symlinks": links, "schema": {"fields": []}}
    if catalog:
        facets["catalog"] = {"framework": "iceberg", "name": catalog}
    return {"namespace": "s3://warehouse", "name": FOLDER, "facets": facets}


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        (of_trino("lake.bronze.orders"), "lake.bronze.orders"),
        (of_trino("lake.a.b.orders"), "lake.a.b.orders"),
        (of_trino("mart.gold.sales"), "eu.mart.gold.sales"),
        (of_spark(), "lake.bronze.orders"),
        (of_spark("a.b.orders"), "lake.a.b.orders"),
        (of_spark("`a-b`.`c.d``e`.x"), "lake.a-b.c.d`e.x"),
        (of_spark(catalog="as_a_driver_calls_it"), "lake.bronze.orders"),
        (of_spark("gold.sales", SHARED, "mart"), "eu.mart.gold.sales"),
        (of_spark("gold.sales", SHARED, "hub"), "hub.gold.sales"),
        (of_spark("table/gold/sales", "arn:aws:glue:us-east-1:1"), "glue.gold.sales"),
        (of_trino("lake_etl.bronze.orders"), "lake.bronze.orders@etl"),
        (of_spark("bronze.`orders@etl`"), "lake.bronze.orders@etl"),
        ({"namespace": "arn:aws:s3tables:us-east-1:unknown", "name": "lake.bronze.orders"}, "lake.bronze.orders"),
    ],
)
def test_a_table_has_the_published_name(dataset: dict[str, Any], name: str) -> None:
    assert NAMES.of(dataset) == DatasetName("iceberg", name)


@pytest.mark.parametrize(
    "dataset",
    [
        of_trino("tpch.tiny.orders"),
        of_trino("lake"),
        of_spark(link="hive://elsewhere:9083"),
        of_spark(link="hive://elsewhere:9083", catalog="lake"),
        of_spark(link=SHARED),
        of_spark(link=SHARED, catalog="lake"),
        of_trino("lake_etl"),
        {"namespace": "kafka://broker:9092", "name": "orders"},
        {"namespace": "s3://partner", "name": "orders", "facets": None},
        {},
    ],
)
def test_what_is_no_table_of_the_lakehouse_keeps_its_name(dataset: dict[str, Any]) -> None:
    assert NAMES.of(dataset) is None
    if dataset:
        (kept,) = joined({"inputs": [dataset]}, NAMES)["inputs"]
        assert {key: each for key, each in kept.items() if each} == {key: each for key, each in dataset.items() if each}


def test_without_trino_a_dataset_without_a_namespace_is_nothing() -> None:
    assert DatasetNames("", {"lake": "lake"}).of({"name": "lake.bronze.orders"}) is None


def test_both_engines_datasets_are_one() -> None:
    written = joined({"outputs": [of_trino("lake.bronze.orders")]}, NAMES)["outputs"][0]
    read = joined({"inputs": [of_spark()]}, NAMES)["inputs"][0]
    assert (written["namespace"], written["name"]) == (read["namespace"], read["name"]) == ("iceberg", ORDERS.name)


def test_the_folder_stays_as_another_name_and_no_table_is_among_them() -> None:
    (found,) = joined({"inputs": [of_spark()]}, NAMES)["inputs"]
    folder = {"namespace": "s3://warehouse", "name": FOLDER, "type": "LOCATION"}
    assert found["facets"]["symlinks"] == {"_producer": "spark", "identifiers": [folder]}
    assert found["facets"]["schema"] == {"fields": []}


def test_lineage_of_columns_has_the_same_names() -> None:
    field = {"namespace": "s3://warehouse", "name": FOLDER, "field": "id"}
    output = {**of_spark("silver.orders"), "name": "lake/silver/orders"}
    output["facets"]["columnLineage"] = {"fields": {"id": {"inputFields": [field]}}, "dataset": [dict(field)]}
    (found,) = joined({"inputs": [of_spark()], "outputs": [output]}, NAMES)["outputs"]
    told = {"namespace": "iceberg", "name": ORDERS.name, "field": "id"}
    assert found["facets"]["columnLineage"] == {"fields": {"id": {"inputFields": [told]}}, "dataset": [told]}


def test_a_table_and_its_branch_in_one_folder_are_two_datasets() -> None:
    output = of_spark("bronze.`orders@etl`")
    output["facets"]["columnLineage"] = {
        "fields": {"id": {"inputFields": [{"namespace": "s3://warehouse", "name": FOLDER, "field": "id"}]}}
    }
    event = joined({"inputs": [of_spark()], "outputs": [output]}, NAMES)
    (source,), (found,) = event["inputs"], event["outputs"]
    assert (source["name"], found["name"]) == ("lake.bronze.orders", "lake.bronze.orders@etl")
    assert found["facets"]["columnLineage"]["fields"]["id"]["inputFields"][0]["name"] == "lake.bronze.orders"


def test_lineage_of_columns_in_trino_names_each_table_by_itself() -> None:
    output = of_trino("lake.silver.orders")
    inputs = [{"namespace": TRINO, "name": "lake.bronze.orders", "field": "id"}]
    output["facets"]["columnLineage"] = {"fields": {"id": {"inputFields": inputs}}}
    (found,) = joined({"outputs": [output]}, NAMES)["outputs"]
    assert found["facets"]["columnLineage"]["fields"]["id"]["inputFields"] == [
        {"namespace": "iceberg", "name": ORDERS.name, "field": "id"}
    ]


def test_the_event_that_came_is_left_alone_and_the_rest_of_it_stays() -> None:
    event = {"eventType": "COMPLETE", "run": {"runId": "1"}, "job": {"name": "j"}, "inputs": [of_spark()]}
    found = joined(event, NAMES)
    assert event["inputs"] == [of_spark()]
    assert {**found, "inputs": event["inputs"]} == event


def test_a_run_that_failed_is_not_said_to_be_complete() -> None:
    """As Spark's listener was seen to say of an INSERT that the store refused."""
    joiner = Joiner(NAMES)
    said = [("a", "START"), ("b", "START"), ("a", "FAIL"), ("a", "COMPLETE"), ("b", "COMPLETE")]
    told = [joiner.joined({"run": {"runId": run}, "eventType": kind})["eventType"] for run, kind in said]
    assert told == ["START", "START", "FAIL", "FAIL", "COMPLETE"]


def test_lineage_of_columns_may_name_what_an_earlier_event_of_the_run_had() -> None:
    """As in the RUNNING events of Spark's listener, which have no inputs."""
    output = of_spark("silver.orders")
    fields = {"id": {"inputFields": [{"namespace": "s3://warehouse", "name": FOLDER, "field": "id"}]}}
    output |= {"name": "lake/silver/orders", "facets": {**output["facets"], "columnLineage": {"fields": fields}}}
    joiner, run = Joiner(NAMES), {"runId": "1"}
    joiner.joined({"run": run, "inputs": [of_spark()]})
    for number, name in ((run, ORDERS.name), ({"runId": "2"}, FOLDER)):
        (found,) = joiner.joined({"run": number, "inputs": [], "outputs": [output]})["outputs"]
        assert found["facets"]["columnLineage"]["fields"]["id"]["inputFields"][0]["name"] == name


def test_only_the_latest_runs_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openlineage, "_RUNS", 2)
    joiner = Joiner(NAMES)
    for run, kind in (("a", "FAIL"), ("b", "FAIL"), ("a", "RUNNING"), ("c", "FAIL")):
        joiner.joined({"run": {"runId": run}, "eventType": kind})
    told = {run: joiner.joined({"run": {"runId": run}, "eventType": "COMPLETE"})["eventType"] for run in "acb"}
    assert told == {"a": "FAIL", "c": "FAIL", "b": "COMPLETE"}
