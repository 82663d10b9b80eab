"""The service that joins lineage, and how each engine names one table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.metadata.proposals import Urns
from lakehouse.kinds.compose import endpoints
from lakehouse.kinds.platform import lineage
from lakehouse.runtimes.process.lineage import LineageSettings
from lakehouse.text.openlineage import DatasetNames
from tests.unit.lakehouse.kinds.platform.monitored import built, content, lakehouse, text
from tests.unit.lakehouse.services.place import Somewhere, local

TRINO = "http://trino.internal:8085"
SPARKS = {
    "nessie": ("hive://nessie.internal:19120", "bronze.orders"),
    "rest": ("http://rest.internal:8181", "bronze.orders"),
    "hive": ("hive://hive.internal:9083", "bronze.orders"),
    "polaris": ("http://polaris.internal:8181/api/catalog", "bronze.orders"),
    "glue": ("arn:aws:glue:", "table/bronze/orders"),
}


def joiner(folder: Path, **changes: Any) -> Any:
    return built(folder, False, **{"lineage": {"file": "events.jsonl"}, **changes})


#: What the file says of those that need more than a word.
ENTRIES = {"polaris": {"kind": "polaris", "home": "polaris"}, "glue": {"kind": "glue", "region": "eu-west-1"}}


def named(folder: Path, kind: str, instance: str | None) -> tuple[lineage.EngineNames, DatasetNames]:
    server = folder / "polaris" / "bin" / "server"
    server.parent.mkdir(parents=True)
    server.touch(0o755)
    file = lakehouse(folder, False, catalogs={"lake": ENTRIES.get(kind, kind)})
    at = endpoints(file, local(file), Somewhere(file)).catalogs
    names = lineage.names(at, TRINO, instance)
    return lineage.engine_names(names, at[0], "bronze", "orders"), names


def events(found: lineage.EngineNames) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table as each engine writes it: Spark's name is beside the folder."""
    namespace = found.spark.namespace + ("eu-west-1:123456789012" if found.spark.namespace.endswith(":") else "")
    links = {"identifiers": [{"namespace": namespace, "name": found.spark.name, "type": "TABLE"}]}
    spark = {"namespace": "s3://warehouse", "name": "lake/bronze/orders", "facets": {"symlinks": links}}
    return spark, {"namespace": found.trino.namespace, "name": found.trino.name}


@pytest.mark.parametrize("instance", [None, "eu"])
@pytest.mark.parametrize("kind", SPARKS)
def test_the_names_of_both_engines_lead_to_the_one_that_is_published(
    kind: str, instance: str | None, tmp_path: Path
) -> None:
    found, names = named(tmp_path, kind, instance)
    assert (found.spark.namespace, found.spark.name) == SPARKS[kind]
    assert (found.trino.namespace, found.trino.name) == ("trino://trino.internal:8085", "lake.bronze.orders")
    assert [names.of(each) for each in events(found)] == [found.published] * 2
    platform, name = found.published.namespace, found.published.name
    urn = f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"
    assert urn == Urns(instance=instance).table("lake", "bronze.orders")


def test_catalogs_of_one_address_are_told_apart_by_their_names_alone(tmp_path: Path) -> None:
    file = lakehouse(tmp_path, False)
    (at,) = endpoints(file, local(file), Somewhere(file)).catalogs
    assert lineage.names([at], TRINO, None).spark == {"hive://nessie.internal:19120": ["lake"]}
    two = lineage.names([at, replace(at, name="mart")], TRINO, None)
    assert two.spark == {"hive://nessie.internal:19120": ["lake", "mart"]}
    links = {"identifiers": [{"namespace": "hive://nessie.internal:19120", "name": "bronze.orders", "type": "TABLE"}]}
    for own, name in (("mart", "mart.bronze.orders"), ("lake", "lake.bronze.orders")):
        facets = {"symlinks": links, "catalog": {"name": own}}
        found = two.of({"namespace": "s3://w", "name": "o", "facets": facets})
        assert found is not None
        assert found.name == name
    assert two.of({"namespace": "s3://w", "name": "o", "facets": {"symlinks": links}}) is None


def test_a_branch_has_one_name_in_both_engines(tmp_path: Path) -> None:
    file = lakehouse(tmp_path, False)
    (at,) = endpoints(file, local(file), Somewhere(file)).catalogs
    names = lineage.names([replace(at, branches=("etl/new",))], TRINO, None)
    spark = {"namespace": "hive://nessie.internal:19120", "name": "bronze.`orders@etl/new`", "type": "TABLE"}
    found = names.of({"namespace": "s3://w", "name": "o", "facets": {"symlinks": {"identifiers": [spark]}}})
    trino = names.of({"namespace": "trino://trino.internal:8085", "name": "lake_etl_new.bronze.orders"})
    assert found == trino == names.table("lake", "bronze.orders@etl/new")


def test_trinos_namespace_is_made_as_its_listener_makes_it() -> None:
    assert lineage.of_trino("https://trino.example:8443") == "trino://trino.example:8443"
    assert lineage.of_trino("http://http-host:80") == "trino://trino-host:80", "it replaces each one, and so must this"


def test_the_service_has_its_names_and_a_key(tmp_path: Path) -> None:
    service = joiner(tmp_path, metadata={"gms": "http://gms:8080", "instance": "eu"})["lineage"]
    said = content(service, "lineage.json")
    assert said["names"]["catalogs"] == {"lake": "eu.lake"}
    assert said["names"]["trino"] == "trino://trino.internal:8085"
    assert (said["file"], "url" in said, "token" in said) == ("/beside/events.jsonl", False, False)
    assert text(service, "key") == "<secret:lineage-key>"
    assert service.command[-2:] == ("/config/lineage/lineage.json", "/data/lineage")


def test_a_token_stays_in_the_users_file(tmp_path: Path) -> None:
    service = joiner(tmp_path, lineage={"url": "http://m:5000", "token": "marquez.key"})["lineage"]
    assert content(service, "lineage.json")["url"] == "http://m:5000/api/v1/lineage"
    assert content(service, "lineage.json")["token"] == "/beside/marquez.key"
    assert {each.path for each in service.files} == {"lineage.json", "key"}


def test_what_it_writes_the_program_reads(tmp_path: Path) -> None:
    service = joiner(tmp_path)["lineage"]
    for file in service.files:
        (tmp_path / file.path).write_text(text(service, file.path))
    settings = LineageSettings.read(tmp_path / "lineage.json")
    assert settings.names.catalogs == {"lake": "lake"}
    assert json.loads((tmp_path / "lineage.json").read_text())["port"] == settings.port == 5055


def test_engines_do_not_wait_for_it_and_without_it_nobody_sends(tmp_path: Path) -> None:
    for service in joiner(tmp_path).values():
        assert "lineage" not in service.needs
    without = built(tmp_path, False)
    assert "lineage" not in without
    assert "openlineage" not in text(without["spark-connect"], "spark-defaults.conf")
    assert without["trino"].packages == ("trino-476",)
