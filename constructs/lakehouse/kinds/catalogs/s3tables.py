"""Tables that the store serves by itself, over Iceberg REST with requests signed by SigV4: Amazon S3 Tables,
SeaweedFS and AIStor.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-integrating-open-source.html. Each catalog is a bucket
of its own, a table bucket, in which the server gives every table the folder NAMESPACE/TABLE.
"""

from __future__ import annotations

from lakehouse.kinds.catalog import CatalogAddress, CatalogEndpoint, CatalogKind
from lakehouse.kinds.catalogs import glue
from lakehouse.kinds.store import S3TABLES as WORD
from lakehouse.spec.kinds import Enforcement, Limits, Unsecured
from lakehouse.text.placeholders import Text


def _uri(at: CatalogEndpoint) -> str:
    return at.internal if at.service else f"https://s3tables.{at.store.region}.amazonaws.com/iceberg"


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog; each request is signed. In AWS with the credentials of the environment."""
    settings: dict[str, Text] = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": _uri(at),
        ".warehouse": at.warehouse,
        ".rest.sigv4-enabled": "true",
        ".rest.signing-name": WORD,
        ".rest.signing-region": at.store.region,
    }
    if not at.service:
        return settings | glue.files(at)
    keys: dict[str, Text] = {
        ".rest.access-key-id": at.store.access_key,
        ".rest.secret-access-key": at.store.secret_key,
    }
    return settings | keys | at.store.for_spark()


def for_trino(at: CatalogEndpoint, s3_switch: str, branch: str) -> dict[str, Text]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/476/object-storage/metastores.html

    Trino signs with the keys and the region of its S3 file system, so in AWS with the credentials of the environment.
    """
    settings: dict[str, Text] = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": _uri(at),
        "iceberg.rest-catalog.warehouse": at.warehouse,
        "iceberg.rest-catalog.sigv4-enabled": "true",
        "iceberg.rest-catalog.signing-name": WORD,
        "iceberg.rest-catalog.view-endpoints-enabled": "false",
    }
    if at.store.internal:
        return settings | at.store.for_trino(s3_switch)
    return settings | {s3_switch: "true", "s3.region": at.store.region}


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg."""
    return {
        "type": "rest",
        "uri": at.uri if at.service else _uri(at),
        "warehouse": at.warehouse,
        "rest.sigv4-enabled": "true",
        "rest.signing-name": WORD,
        "rest.signing-region": at.store.region,
        "client.region": at.store.region,
        "client.access-key-id": at.store.access_key,
        "client.secret-access-key": at.store.secret_key,
        **at.store.for_pyiceberg(),
    }


def addresses(at: CatalogEndpoint) -> tuple[CatalogAddress, ...]:
    """The address of the endpoint for clients."""
    meaning = f"catalog `{at.name}` for clients that sign by SigV4 for {WORD}: warehouse={at.warehouse}"
    return (CatalogAddress("/", f"Iceberg REST ({at.name})", meaning),)


S3TABLES = CatalogKind(
    word=WORD,
    label="S3 Tables",
    in_store=True,
    unsecured=Unsecured("SeaweedFS 4.48 and AIStor serve tables without TLS"),
    can=Limits("S3 Tables", format_version=2, nested_namespaces=False, locations=False),
    opening=None,
    guard=Enforcement("that only the services' keys are answered", "grants: no principal has a right to its tables"),
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
    signs=WORD,
    addresses=addresses,
    trino_views=False,
)
