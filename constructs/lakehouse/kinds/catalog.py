"""An Iceberg catalog as the engines see it, and how each engine is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.kinds.store import StoreEndpoint
from lakehouse.text.placeholders import Text


@dataclass(frozen=True)
class CatalogEndpoint:
    """A catalog. ``internal`` is its base address for services, ``external`` for a person and the bootstrap."""

    name: str
    kind: str
    service: str
    internal: str
    external: str
    warehouse: str  # the name its Iceberg REST endpoint knows the catalog by
    location: str  # where its tables are
    store: StoreEndpoint
    branches: tuple[str, ...] = ()  # those that the file names, besides the catalog's own


def for_spark(catalog: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/nessie/

    Nessie's own client, not its Iceberg REST endpoint: up to 0.99 that one shows, and at each commit keeps, the current
    snapshot alone (projectnessie/nessie#9634), so there would be no history and no time travel.
    """
    store = catalog.store
    settings: dict[str, Text] = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".catalog-impl": "org.apache.iceberg.nessie.NessieCatalog",
        ".uri": f"{catalog.internal}/api/v2",
        ".ref": "main",
        ".warehouse": catalog.location,
        ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        ".s3.endpoint": store.internal,
        ".s3.path-style-access": "true",
        ".s3.access-key-id": store.access_key,
        ".s3.secret-access-key": store.secret_key,
        ".client.region": store.region,
    }
    return {f"spark.sql.catalog.{catalog.name}{key}": value for key, value in settings.items()}


def for_trino(catalog: CatalogEndpoint, s3_switch: str, branch: str = "main") -> dict[str, Text]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/current/object-storage/metastores.html

    ``s3_switch`` is the property that turns the native S3 file system on; its name changed with Trino's versions.
    """
    store = catalog.store
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "nessie",
        "iceberg.nessie-catalog.uri": f"{catalog.internal}/api/v2",
        "iceberg.nessie-catalog.ref": branch,
        "iceberg.nessie-catalog.default-warehouse-dir": catalog.location,
        s3_switch: "true",
        "s3.endpoint": store.internal,
        "s3.path-style-access": "true",
        "s3.region": store.region,
        "s3.aws-access-key": store.access_key,
        "s3.aws-secret-key": store.secret_key,
    }
