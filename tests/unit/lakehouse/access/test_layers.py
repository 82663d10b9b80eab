"""What `lakehouse access` says of each layer of a stack."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.access.layers import layers
from lakehouse.kinds import CATALOGS, STORES
from lakehouse.spec import Lakehouse


def lakehouse(engines: dict[str, Any], stack: dict[str, Any]) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse"}},
            "engines": engines,
            "stacks": {"here": stack},
        }
    )


def said(engines: dict[str, Any], **stack: Any) -> dict[str, tuple[str, str]]:
    found = layers(lakehouse(engines, stack), "here")
    return {each.layer: (each.enforces, each.leaves) for each in found}


def local(store: str = "s3proxy", catalog: Any = "nessie", **engines: Any) -> dict[str, tuple[str, str]]:
    return said(engines, runtime="process", store=store, catalogs={"lake": catalog})


@pytest.mark.parametrize("word", ["nessie", "rest", "hive"])
def test_a_catalog_that_asks_nobody_enforces_nothing(word: str) -> None:
    enforces, leaves = local(catalog=word)[f"catalog lake ({CATALOGS[word].label})"]
    assert enforces == "nothing"
    assert "anybody on its network" in leaves


@pytest.mark.parametrize(("layer", "word"), [("catalog lake (Iceberg REST)", "token"), ("Spark", "Connect's token")])
def test_a_secure_layer_with_one_token_for_everybody_says_so(layer: str, word: str) -> None:
    stack = {"runtime": "process", "store": "seaweedfs", "catalogs": {"lake": "rest"}}
    enforces, leaves = said({"spark": {"connect": {"token": True}}}, **stack, secure=True)[layer]
    assert enforces == "that a client has its token"
    assert f"whoever has {word}" in leaves or f"whoever has the {word}" in leaves
    assert said({"spark": {}}, **stack)[layer][0] == "nothing"


def test_a_secure_nessie_enforces_grants() -> None:
    found = said({}, runtime="process", store="seaweedfs", catalogs={"lake": "nessie"}, secure=True)
    enforces, leaves = found["catalog lake (Nessie)"]
    assert enforces.startswith("grants on names and metadata")
    assert "the metadata of any other table" in leaves


def test_a_catalog_without_a_way_around_filters_says_what_it_enforces() -> None:
    closed = {word for word, kind in CATALOGS.items() if kind.opening is None}
    assert closed == {"polaris", "glue", "s3tables"}
    assert all(CATALOGS[word].guard for word in closed)


@pytest.mark.parametrize("word", [word for word, kind in STORES.items() if "process" in kind.on or "docker" in kind.on])
def test_a_store_without_users_gives_nobody_keys(word: str) -> None:
    enforces, _ = local(store=word)[f"store ({STORES[word].label})"]
    assert ("a user of its own" in enforces) == bool(STORES[word].users)


def test_an_engine_that_lets_everybody_in_enforces_nothing() -> None:
    assert local(trino={})["Trino"] == ("nothing", "Trino lets everybody in, under any name")
    assert "filters and masks" in local(trino={"authentication": "password"})["Trino"][0]
    assert local(spark={})["Spark"][0] == "nothing"
    assert "Spark" not in local()


@pytest.mark.parametrize(
    ("engines", "store", "catalog", "expected"),
    [
        ("managed", "s3", "glue", ["IAM", "Athena, EMR Serverless"]),
        ("ec2", "s3", "glue", ["IAM", "Spark and Trino on EC2"]),
        ("managed", "s3tables", "glue", ["IAM", "Athena, EMR Serverless"]),
    ],
)
def test_in_aws_iam_enforces_grants(engines: str, store: str, catalog: str, expected: list[str]) -> None:
    stack = {"region": "eu-west-1", "store": store, "catalogs": {"lake": catalog}, "engines": engines}
    found = layers(lakehouse({}, stack), "here")
    assert [each.layer for each in found] == expected
    assert "filters and masks" in found[0].leaves
