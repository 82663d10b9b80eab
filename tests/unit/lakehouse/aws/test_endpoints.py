"""How the engines reach the catalogs in AWS."""

from __future__ import annotations

import pytest

from lakehouse.access.names import names
from lakehouse.aws.endpoints import AwsAddress, for_spark, for_trino
from lakehouse.spec import Lakehouse

OWN = "spark.sql.catalog.glue_catalog"
DOUBLE = AwsAddress("http://127.0.0.1:5000", "key", "secret")
WAREHOUSE = "s3://employees-aws-warehouse-123456789012-eu-west-1/glue-warehouse"


def spark(lakehouse: Lakehouse, stack: str = "aws", address: AwsAddress | None = None) -> dict[str, str]:
    return for_spark(lakehouse, names(lakehouse, stack, "123456789012"), address)


def trino(lakehouse: Lakehouse, address: AwsAddress | None = None) -> dict[str, str]:
    [settings] = for_trino(lakehouse, names(lakehouse, "aws", "123456789012"), address).values()
    return settings


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", "org.apache.iceberg.spark.SparkCatalog"),
        (".catalog-impl", "org.apache.iceberg.aws.glue.GlueCatalog"),
        (".io-impl", "org.apache.iceberg.aws.s3.S3FileIO"),
        (".warehouse", WAREHOUSE),
        (".client.region", "eu-west-1"),
        # The reference system's caching and pool, by the names that Iceberg has for them.
        (".cache-enabled", "true"),
        (".cache.expiration-interval-ms", "3600000"),
        (".http-client.type", "apache"),
        (".http-client.apache.max-connections", "10"),
        (".http-client.apache.connection-timeout-ms", "30000"),
    ],
)
def test_spark_on_glue(lakehouse: Lakehouse, key: str, value: str) -> None:
    assert spark(lakehouse)[f"{OWN}{key}"] == value


def test_spark_on_s3_tables(lakehouse: Lakehouse) -> None:
    settings = spark(lakehouse, "tables")
    assert settings[f"{OWN}.uri"] == "https://s3tables.us-east-1.amazonaws.com/iceberg"
    assert settings[f"{OWN}.rest.signing-name"] == "s3tables"
    assert f"{OWN}.catalog-impl" not in settings


def test_trino_on_glue(lakehouse: Lakehouse) -> None:
    assert trino(lakehouse) == {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        "hive.metastore.glue.region": "eu-west-1",
        "hive.metastore.glue.default-warehouse-dir": WAREHOUSE,
        "hive.metastore.glue.max-connections": "10",
        "fs.native-s3.enabled": "true",
        "s3.region": "eu-west-1",
    }


def test_keys_are_sent_only_to_a_double(lakehouse: Lakehouse) -> None:
    for real, double in (
        (spark(lakehouse), spark(lakehouse, address=DOUBLE)),
        (trino(lakehouse), trino(lakehouse, DOUBLE)),
    ):
        assert real.items() < double.items()
        assert not [key for key in real if "key" in key or "endpoint" in key]
        more = double.keys() - real.keys()
        assert {"key", "secret", DOUBLE.url} <= {double[key] for key in more}
