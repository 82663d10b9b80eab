"""How clients reach the tables that a store serves: SeaweedFS, AIStor (which no test starts), and AWS."""

from __future__ import annotations

import pytest

from lakehouse.access.names import names
from lakehouse.aws.endpoints import for_trino
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.catalogs.s3tables import S3TABLES
from lakehouse.kinds.compose import endpoints, services
from lakehouse.kinds.stores.seaweedfs import TABLES
from lakehouse.spec import Lakehouse, LocalStack, load
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.values import Location
from tests.unit.lakehouse.services.place import PROJECT, Somewhere, as_text, default, local

KINDS = ("seaweedfs", "aistor")


def of(store: str, catalog: str = "s3tables") -> tuple[Lakehouse, LocalStack]:
    update = {"store": KindEntry(kind=store), "license": "minio.license", "catalogs": {"lake": KindEntry(kind=catalog)}}
    stack = local(default()).model_copy(update={"runtime": "docker", **update})
    lake = default().catalogs["lake"].model_copy(update={"location": Location("s3://tables")})
    return default().model_copy(update={"catalogs": {"lake": lake}, "stacks": {"local": stack}}), stack


def endpoint(store: str) -> CatalogEndpoint:
    given, stack = of(store)
    [at] = endpoints(given, stack, Somewhere(given)).catalogs
    return at


GOLDEN = {
    "seaweedfs": ("http://seaweedfs.internal:8181", "http://seaweedfs.internal:8333"),
    "aistor": ("http://aistor.internal:9000/_iceberg", "http://aistor.internal:9000"),
}


@pytest.mark.parametrize("store", KINDS)
def test_spark_signs_each_request_with_the_keys_of_the_store(store: str) -> None:
    uri, s3 = GOLDEN[store]
    assert {key: as_text(value) for key, value in S3TABLES.for_spark(endpoint(store)).items()} == {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": uri,
        ".warehouse": "tables",
        ".rest.sigv4-enabled": "true",
        ".rest.signing-name": "s3tables",
        ".rest.signing-region": "us-east-1",
        ".rest.access-key-id": "<secret:store-access-key>",
        ".rest.secret-access-key": "<secret:store-secret-key>",
        ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        ".s3.endpoint": s3,
        ".s3.path-style-access": "true",
        ".s3.access-key-id": "<secret:store-access-key>",
        ".s3.secret-access-key": "<secret:store-secret-key>",
        ".client.region": "us-east-1",
    }


@pytest.mark.parametrize("store", KINDS)
def test_trino_signs_as_version_476_spells_it(store: str) -> None:
    uri, s3 = GOLDEN[store]
    settings = S3TABLES.for_trino(endpoint(store), "fs.native-s3.enabled", "main")
    assert {key: as_text(value) for key, value in settings.items()} == {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": uri,
        "iceberg.rest-catalog.warehouse": "tables",
        "iceberg.rest-catalog.sigv4-enabled": "true",
        "iceberg.rest-catalog.signing-name": "s3tables",
        "iceberg.rest-catalog.view-endpoints-enabled": "false",
        "fs.native-s3.enabled": "true",
        "s3.endpoint": s3,
        "s3.path-style-access": "true",
        "s3.region": "us-east-1",
        "s3.aws-access-key": "<secret:store-access-key>",
        "s3.aws-secret-key": "<secret:store-secret-key>",
    }


def test_aistor_makes_warehouses_by_its_own_api() -> None:
    assert endpoint("aistor").api == "http://lakehouse.example:19000/_iceberg/v1/warehouses"
    assert endpoint("seaweedfs").api == ""


@pytest.mark.parametrize(("catalog", "opened"), [("s3tables", True), ("nessie", False)])
def test_seaweedfs_opens_the_port_of_its_tables_only_for_such_a_catalog(catalog: str, opened: bool) -> None:
    given, stack = of("seaweedfs", catalog)
    store = services(given, stack, Somewhere(given))[0]
    assert (TABLES in {port.name for port in store.ports}) is opened
    assert f"-s3.port.iceberg={8181 if opened else 0}" in store.command


def test_trino_in_aws_uses_the_endpoint_of_s3_tables_with_the_credentials_of_the_environment() -> None:
    lakehouse = load(PROJECT / "lakehouses/aws-glue.yaml")
    [settings] = for_trino(lakehouse, names(lakehouse, "tables", "123456789012")).values()
    assert settings["iceberg.rest-catalog.uri"] == "https://s3tables.us-east-1.amazonaws.com/iceberg"
    assert settings["iceberg.rest-catalog.warehouse"].startswith("arn:aws:s3tables:us-east-1:123456789012:bucket/")
    assert settings["iceberg.rest-catalog.sigv4-enabled"] == "true"
    assert not [key for key in settings if "key" in key or key == "s3.endpoint"]
