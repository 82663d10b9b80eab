"""Glue as a catalog of a stack on this machine: its settings in clients, and what its entry may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.catalogs.glue import GLUE, GlueEntry, check
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.engines.spark_cluster import of_catalogs
from lakehouse.services.service import Service
from lakehouse.spec import LocalStack, SpecError, load
from lakehouse.spec.kinds import AWS
from lakehouse.spec.model import Lakehouse
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, as_text, default, local

DOUBLE = "http://glue.example:5000"


def lakehouse(entry: GlueEntry) -> tuple[Lakehouse, LocalStack]:
    stack = local(default()).model_copy(update={"catalogs": {"lake": entry}})
    return default().model_copy(update={"stacks": {"local": stack}}), stack


def endpoint(address: str | None = None) -> CatalogEndpoint:
    given, stack = lakehouse(GlueEntry(kind="glue", region="eu-west-1", endpoint=address))
    [at] = endpoints(given, stack, Somewhere(given)).catalogs
    return at


def built() -> dict[str, Service]:
    given, stack = lakehouse(GlueEntry(kind="glue", region="eu-west-1"))
    return {each.name: each for each in services(given, stack, Somewhere(given))}


def test_no_server_runs_for_it() -> None:
    assert not [name for name in built() if "glue" in name]
    assert endpoint().service == ""


@pytest.mark.parametrize("address", ["", DOUBLE])
def test_each_client_has_glues_region_and_keys_apart_from_the_stores(address: str) -> None:
    at = endpoint(address or None)
    spark = GLUE.for_spark(at)
    assert spark[".catalog-impl"] == "org.apache.iceberg.aws.glue.GlueCatalog"
    assert (spark[".client.region"], spark.get(".glue.endpoint", "")) == ("eu-west-1", address)
    assert (spark[".s3.endpoint"], as_text(spark[".s3.access-key-id"])) == (
        "http://s3proxy.internal:9000",
        "<secret:store-access-key>",
    )
    assert ".cache.expiration-interval-ms" not in spark, "another engine's changes are seen as in other catalogs"

    trino = GLUE.for_trino(at, "fs.native-s3.enabled", "main")
    assert (trino["hive.metastore.glue.region"], trino["s3.region"]) == ("eu-west-1", "us-east-1")
    assert trino.get("hive.metastore.glue.endpoint-url", "") == address
    assert as_text(trino["hive.metastore.glue.aws-secret-key"]) == "<secret:glue-secret-key>"
    assert as_text(trino["s3.aws-secret-key"]) == "<secret:store-secret-key>"

    assert GLUE.for_pyiceberg is not None
    py = GLUE.for_pyiceberg(at)
    assert (py["glue.region"], py["s3.region"], py.get("glue.endpoint", "")) == ("eu-west-1", "us-east-1", address)
    assert as_text(py["glue.access-key-id"]) == "<secret:glue-access-key>"
    assert as_text(py["s3.access-key-id"]) == "<secret:store-access-key>"


def test_drivers_of_spark_read_glues_keys_from_a_file_and_workers_have_none() -> None:
    found = built()
    name = "spark-connect"
    files = {each.path: as_text(each.text) for each in found[name].files}
    assert files["aws-credentials"] == (
        "[default]\naws_access_key_id = <secret:glue-access-key>\naws_secret_access_key = <secret:glue-secret-key>\n"
    )
    assert dict(found[name].environment)["AWS_SHARED_CREDENTIALS_FILE"] == f"/config/{name}/aws-credentials"
    assert not [each for each in found["spark-worker-1"].files if "glue" in as_text(each.text)]
    for each in found.values():
        assert "secret:glue" not in f"{each.command} {each.environment}"


def test_the_cache_of_a_session_is_set_by_a_property_of_spark() -> None:
    assert "spark.sql.catalog.lake.cache.expiration-interval-ms" not in of_catalogs([endpoint()])


@pytest.mark.parametrize(
    ("entry", "runtime", "key", "words"),
    [
        (GlueEntry(kind="glue"), "process", "", '"region" is missing'),
        (GlueEntry(kind="glue"), "docker", "", "Write {kind: glue, region: eu-west-1}"),
        (GlueEntry(kind="glue"), AWS, None, ""),
        (GlueEntry(kind="glue", region="eu-west-1"), AWS, "region", "its own region. Remove it"),
        (GlueEntry(kind="glue", endpoint=DOUBLE), AWS, "endpoint", "Remove it"),
        (GlueEntry(kind="glue", region="eu-west-1", endpoint=DOUBLE), "docker", None, ""),
        (GlueEntry(kind="glue", region="eu-west-1", endpoint="http://127.0.0.1:5000"), "process", None, ""),
        (GlueEntry(kind="glue", region="eu-west-1", endpoint="http://127.0.0.1:5000"), "docker", "endpoint", "itself"),
        (GlueEntry(kind="glue", region="eu-west-1", endpoint="http://0.0.0.0:5000"), "docker", "endpoint", "itself"),
        (GlueEntry(kind="glue", region="eu-west-1", endpoint="http://[::1]:5000"), "docker", "endpoint", "itself"),
        (GlueEntry(kind="glue", region="eu-west-1", endpoint="http://localhost:5000"), "docker", "endpoint", "itself"),
    ],
)
def test_what_an_entry_may_say(entry: GlueEntry, runtime: str, key: str | None, words: str) -> None:
    found = list(check({"lake": entry}, runtime))
    assert [each.key for each in found] == ([] if key is None else [key])
    assert all(words in each.message for each in found)


def test_a_missing_region_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    file.write_text(
        (PROJECT / "lakehouse.yaml").read_text().replace("catalogs: {lake: nessie}", "catalogs: {lake: glue}")
    )
    with pytest.raises(SpecError, match=r'lakehouse\.yaml:\d+: stacks\.local\.catalogs\.lake: "region" is missing'):
        load(file)
