"""What lakehouse.yaml adds to the proposals that DataHub's ingestion makes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.metadata import proposals
from bootstrap.metadata.proposals import Proposal, Urns
from lakehouse.spec.model import Catalog
from lakehouse.spec.pipelines import PipelineEntry

CATALOG = Catalog.model_validate(
    {
        "location": "s3://warehouse/lake",
        "namespaces": {
            "bronze": {
                "owners": ["group:data-platform"],
                "tables": {
                    "orders": {
                        "columns": {"id": "long", "email": {"type": "string", "tags": ["pii"]}},
                        "owners": ["ada@example.com"],
                        "tags": ["gold"],
                        "upstreams": ["kafka://orders", "s3://partner/orders/", "lake.bronze.raw"],
                        "seed": "orders.csv",
                    },
                    "raw": {"columns": {"id": "long"}},
                },
            },
        },
    }
)
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.bronze.orders,PROD)"
RAW = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.bronze.raw,PROD)"
OTHER = "urn:li:dataset:(urn:li:dataPlatform:iceberg,lake.bronze.other,PROD)"


def proposal(urn: str, aspect: str, value: dict[str, Any]) -> Proposal:
    return {
        "entityType": "dataset",
        "entityUrn": urn,
        "changeType": "UPSERT",
        "aspectName": aspect,
        "aspect": {"json": value},
    }


def schema(urn: str, *paths: str) -> Proposal:
    return proposal(urn, "schemaMetadata", {"fields": [{"fieldPath": path} for path in paths]})


def properties(urn: str, **values: str) -> Proposal:
    return proposal(urn, "datasetProperties", {"customProperties": values})


def aspects(found: list[Proposal], urn: str, aspect: str) -> list[dict[str, Any]]:
    return [each["aspect"]["json"] for each in found if (each["entityUrn"], each["aspectName"]) == (urn, aspect)]


PLAIN = Urns()


def added(*given_: Proposal, naming: Urns = PLAIN) -> list[Proposal]:
    return proposals.enriched(given_, "lake", CATALOG, naming, 5)[0]


def test_a_table_has_its_own_owners_or_those_of_its_namespace() -> None:
    found = added(properties(ORDERS), properties(RAW), properties(OTHER))
    assert [each["owner"] for [one] in [aspects(found, ORDERS, "ownership")] for each in one["owners"]] == [
        "urn:li:corpuser:ada@example.com"
    ]
    assert aspects(found, RAW, "ownership")[0]["owners"] == [
        {"owner": "urn:li:corpGroup:data-platform", "type": "TECHNICAL_OWNER"}
    ]
    assert aspects(found, OTHER, "ownership") == []


def test_a_table_has_its_tags_and_a_table_without_tags_keeps_those_that_others_gave_it() -> None:
    found = added(properties(ORDERS), properties(RAW))
    assert aspects(found, ORDERS, "globalTags") == [{"tags": [{"tag": "urn:li:tag:gold"}]}]
    assert aspects(found, RAW, "globalTags") == []


def test_columns_have_their_tags_whatever_form_their_path_has() -> None:
    nested = "[version=2.0].[type=struct].[type=string].email"
    inner = "[version=2.0].[type=struct].[type=struct].other.[type=string].email"
    found = added(schema(ORDERS, "email", nested, inner, "id"))
    [one] = aspects(found, ORDERS, "schemaMetadata")
    assert [field.get("globalTags") for field in one["fields"]] == [
        {"tags": [{"tag": "urn:li:tag:pii"}]},
        {"tags": [{"tag": "urn:li:tag:pii"}]},
        None,  # a field of another column
        None,
    ]


def test_lineage_has_what_the_file_names_the_seed_and_what_ingest_noted() -> None:
    noted = {"ingest.from": "s3://partner/new landing/a.csv landing%20zone"}
    found = added(properties(ORDERS, **noted), properties(OTHER, **{"ingest.from": "s3://partner/x"}))
    [one] = aspects(found, ORDERS, "upstreamLineage")
    names = [each["dataset"].removeprefix("urn:li:dataset:(urn:li:dataPlatform:") for each in one["upstreams"]]
    assert names == sorted(
        [
            "file,landing%20zone,PROD)",
            "file,landing/a.csv,PROD)",
            "file,orders.csv,PROD)",
            "iceberg,lake.bronze.raw,PROD)",
            "kafka,orders,PROD)",
            "s3,partner/new,PROD)",
            "s3,partner/orders,PROD)",
        ]
    )
    assert {each["type"] for each in one["upstreams"]} == {"TRANSFORMED"}
    assert {each["auditStamp"]["time"] for each in one["upstreams"]} == {5}
    [other] = aspects(found, OTHER, "upstreamLineage")  # a table that the file does not have
    assert len(other["upstreams"]) == 1


OF_SEATUNNEL: tuple[dict[str, Any], ...] = (
    {"jdbc": {"url": "jdbc:postgresql://db:5432/shop?ssl=true", "user": "a", "table": "public.words"}},
    {"jdbc": {"url": "jdbc:mysql://db/shop", "user": "a", "table": "shop.words"}},
    {"jdbc": {"url": "jdbc:mysql://db/shop", "user": "a", "query": "SELECT 1"}},
    {"files": {"path": "s3://landing/in"}},
    {"files": {"path": "/data/in"}},
    {"http": {"url": "https://api.example.com/rates"}},
    {"config": "jobs/own.conf"},
)


def test_a_table_of_a_pipeline_comes_from_what_the_pipeline_reads() -> None:
    database = {"host": "db", "database": "shop", "user": "cdc", "table": "public.orders"}
    pipelines = [
        PipelineEntry.model_validate(each)
        for each in (
            {"from": {"topic": "raw.v1"}, "to": "lake.bronze.raw"},
            {"from": {"postgres": database}, "to": "lake.bronze.raw"},
            {"from": {"topic": "others"}, "to": "mart.bronze.raw"},
            {"from": {"mysql": {"host": "db", "user": "cdc", "table": "shop.items"}}, "to": "lake.bronze.raw"},
            *({"from": each, "to": "lake.bronze.raw", "engine": "seatunnel"} for each in OF_SEATUNNEL),
        )
    ]
    found, _ = proposals.enriched([properties(RAW)], "lake", CATALOG, Urns(), 5, pipelines)
    [one] = aspects(found, RAW, "upstreamLineage")
    assert [each["dataset"] for each in one["upstreams"]] == [
        "urn:li:dataset:(urn:li:dataPlatform:file,/data/in,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:kafka,raw.v1,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:mysql,shop.items,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:mysql,shop.words,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.orders,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:postgres,shop.public.words,PROD)",
        "urn:li:dataset:(urn:li:dataPlatform:s3,landing/in,PROD)",
    ]


def test_tables_that_datahub_did_not_see_are_named() -> None:
    found, unseen = proposals.enriched([properties(RAW)], "lake", CATALOG, Urns(), 5)
    assert unseen == ["lake.bronze.orders"]
    assert aspects(found, ORDERS, "ownership") == []


def test_the_environment_and_the_instance_are_in_every_name() -> None:
    naming = Urns("DEV", "acme")
    urn = "urn:li:dataset:(urn:li:dataPlatform:iceberg,acme.lake.bronze.orders,DEV)"
    assert naming.table("lake", "bronze.orders") == urn
    found = added(properties(urn), naming=naming)
    [one] = aspects(found, urn, "upstreamLineage")
    assert "urn:li:dataset:(urn:li:dataPlatform:iceberg,acme.lake.bronze.raw,DEV)" in [
        each["dataset"] for each in one["upstreams"]
    ]


@pytest.mark.parametrize("text", ["file://a,b", "s3://b/(x)", "kafka://a)b"])
def test_what_structures_a_urn_is_escaped(text: str) -> None:
    inner = Urns().upstream(text).removeprefix("urn:li:dataset:(").removesuffix(")")
    assert inner.count(",") == 2
    assert not {"(", ")"} & set(inner.partition(",")[2])


def test_tables_that_are_gone_are_hidden() -> None:
    found = list(proposals.removed([ORDERS, RAW], [RAW]))
    assert [(each["entityUrn"], each["aspect"]["json"]) for each in found] == [(ORDERS, {"removed": True})]


@given(st.lists(st.sampled_from([ORDERS, RAW, OTHER]), unique=True))
def test_what_datahub_said_stays(urns: list[str]) -> None:
    said = [each for urn in urns for each in (schema(urn, "id"), properties(urn))]
    assert added(*said)[: len(said)] == said
    assert set(proposals.published(added(*said))) == set(urns)
