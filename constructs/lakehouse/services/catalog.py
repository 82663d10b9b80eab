"""An Iceberg catalog as the engines see it, and how each engine is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.services.store import StoreEndpoint


@dataclass(frozen=True)
class CatalogEndpoint:
    """An Iceberg REST catalog. ``internal`` is the URI for services, ``external`` for a person and the bootstrap."""

    name: str
    kind: str
    service: str
    internal: str
    external: str
    warehouse: str
    store: StoreEndpoint


def for_spark(catalog: CatalogEndpoint) -> dict[str, str]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/spark-configuration/"""
    store = catalog.store
    settings = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": catalog.internal,
        ".warehouse": catalog.warehouse,
        ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        ".s3.endpoint": store.internal,
        ".s3.path-style-access": "true",
        ".s3.access-key-id": store.access_key,
        ".s3.secret-access-key": store.secret_key,
        ".client.region": store.region,
        # The store's own keys are used; nothing is vended.
        ".header.X-Iceberg-Access-Delegation": "",
    }
    return {f"spark.sql.catalog.{catalog.name}{key}": value for key, value in settings.items()}


def for_trino(catalog: CatalogEndpoint, s3_switch: str) -> dict[str, str]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/current/connector/iceberg.html

    ``s3_switch`` is the property that turns the native S3 file system on; its name changed with Trino's versions.
    """
    store = catalog.store
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": catalog.internal,
        "iceberg.rest-catalog.warehouse": catalog.warehouse,
        s3_switch: "true",
        "s3.endpoint": store.internal,
        "s3.path-style-access": "true",
        "s3.region": store.region,
        "s3.aws-access-key": store.access_key,
        "s3.aws-secret-key": store.secret_key,
    }
