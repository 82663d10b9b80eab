"""The AWS Glue Data Catalog, as configured in engines. Its databases are made in :mod:`lakehouse.aws.glue`."""

from __future__ import annotations

from lakehouse.kinds.catalog import CatalogEndpoint, CatalogKind
from lakehouse.spec.kinds import AWS, Limits
from lakehouse.text.placeholders import Text

CACHED_SECONDS = 3600  # how long a session of Spark caches what it knows about a table
POOL = 10  # connections that an engine keeps to Glue, and one of Spark's processes to S3
TIMEOUT_MS = 30_000  # until a connection counts as failed


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/aws/#glue-catalog"""
    settings: dict[str, Text] = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        ".warehouse": at.location,
        ".client.region": at.store.region,
        **files(at),
    }
    return settings | ({".glue.endpoint": at.internal} if at.internal else {})


def files(at: CatalogEndpoint) -> dict[str, Text]:
    """How Spark reads and writes S3, and how long it caches what it knows about a table."""
    settings: dict[str, Text] = {
        ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        # A table that another engine changed is seen after that time, or at once by REFRESH TABLE.
        ".cache-enabled": "true",
        ".cache.expiration-interval-ms": str(CACHED_SECONDS * 1000),
        ".http-client.type": "apache",
        ".http-client.apache.max-connections": str(POOL),
        ".http-client.apache.connection-timeout-ms": str(TIMEOUT_MS),
    }
    if at.store.internal:
        settings |= {
            ".s3.endpoint": at.store.internal,
            ".s3.path-style-access": "true",
            ".s3.access-key-id": at.store.access_key,
            ".s3.secret-access-key": at.store.secret_key,
        }
    return settings


def for_trino(at: CatalogEndpoint, s3_switch: str, branch: str) -> dict[str, Text]:
    """https://trino.io/docs/current/object-storage/metastores.html#aws-glue-catalog-configuration-properties"""
    settings: dict[str, Text] = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        "hive.metastore.glue.region": at.store.region,
        "hive.metastore.glue.default-warehouse-dir": at.location,
        "hive.metastore.glue.max-connections": str(POOL),
        s3_switch: "true",
        "s3.region": at.store.region,
    }
    if at.internal:
        settings |= {
            "hive.metastore.glue.endpoint-url": at.internal,
            "hive.metastore.glue.aws-access-key": at.store.access_key,
            "hive.metastore.glue.aws-secret-key": at.store.secret_key,
            "s3.endpoint": at.store.internal,
            "s3.path-style-access": "true",
            "s3.aws-access-key": at.store.access_key,
            "s3.aws-secret-key": at.store.secret_key,
        }
    return settings


GLUE = CatalogKind(
    word="glue",
    label="Glue",
    on=(AWS,),
    # Iceberg's GlueCatalog is no catalog of views; Trino keeps its own ones there, which no other engine can read.
    can=Limits("Glue", format_version=2, nested_namespaces=False),
    for_spark=for_spark,
    for_trino=for_trino,
)
