"""How Spark and Trino are told of the catalogs: Glue, or S3 Tables by its own Iceberg REST. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.access.names import Names
from lakehouse.spec import Lakehouse

CACHED_SECONDS = 3600  # how long a session of Spark keeps what it knows of a table
POOL = 10  # connections that an engine keeps to Glue, and one of Spark's processes to S3
TIMEOUT_MS = 30_000  # until a connection counts as failed


@dataclass(frozen=True)
class AwsAddress:
    """Another AWS than AWS's own, as a double in tests: where it answers, and keys to it."""

    url: str
    access_key: str
    secret_key: str


def for_spark(lakehouse: Lakehouse, names: Names, address: AwsAddress | None = None) -> dict[str, str]:
    """Spark's properties: Iceberg's extensions, and each catalog.

    https://iceberg.apache.org/docs/latest/aws/#glue-catalog
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-integrating-open-source.html
    """
    found = {"spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"}
    for name, catalog in lakehouse.catalogs.items():
        settings = {
            **_kind(lakehouse, names, catalog.location),
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            # A table that another engine changed is seen after that time, or at once by REFRESH TABLE.
            "cache-enabled": "true",
            "cache.expiration-interval-ms": str(CACHED_SECONDS * 1000),
            "http-client.type": "apache",
            "http-client.apache.max-connections": str(POOL),
            "http-client.apache.connection-timeout-ms": str(TIMEOUT_MS),
        }
        if address is not None:
            settings |= {
                "glue.endpoint": address.url,
                "s3.endpoint": address.url,
                "s3.path-style-access": "true",
                "s3.access-key-id": address.access_key,
                "s3.secret-access-key": address.secret_key,
            }
        own = f"spark.sql.catalog.{name}"
        found |= {own: "org.apache.iceberg.spark.SparkCatalog"}
        found |= {f"{own}.{key}": value for key, value in settings.items()}
    return found


def _kind(lakehouse: Lakehouse, names: Names, location: str) -> Mapping[str, str]:
    stack = lakehouse.stacks[names.stack]
    if stack.store == "s3tables":
        bucket = location.removeprefix("s3://").partition("/")[0]
        return {
            "type": "rest",
            "uri": f"https://s3tables.{names.region}.amazonaws.com/iceberg",
            "warehouse": names.arn("s3tables", f"bucket/{names.table_bucket(bucket)}"),
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "s3tables",
            "rest.signing-region": names.region,
        }
    return {
        "catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        "warehouse": names.location(location),
        "client.region": names.region,
    }


def for_trino(lakehouse: Lakehouse, names: Names, address: AwsAddress | None = None) -> dict[str, dict[str, str]]:
    """Properties of Trino's catalogs by their names.

    https://trino.io/docs/current/object-storage/metastores.html#aws-glue-catalog-configuration-properties
    """
    engine = lakehouse.engines.trino
    assert engine is not None
    found = {}
    for name, catalog in lakehouse.catalogs.items():
        settings = {
            "connector.name": "iceberg",
            "iceberg.catalog.type": "glue",
            "hive.metastore.glue.region": names.region,
            "hive.metastore.glue.default-warehouse-dir": names.location(catalog.location),
            "hive.metastore.glue.max-connections": str(POOL),
            engine.release.s3_switch: "true",
            "s3.region": names.region,
        }
        if address is not None:
            settings |= {
                "hive.metastore.glue.endpoint-url": address.url,
                "hive.metastore.glue.aws-access-key": address.access_key,
                "hive.metastore.glue.aws-secret-key": address.secret_key,
                "s3.endpoint": address.url,
                "s3.path-style-access": "true",
                "s3.aws-access-key": address.access_key,
                "s3.aws-secret-key": address.secret_key,
            }
        found[name] = settings
    return found
