"""The Iceberg REST endpoint of S3 Tables, as configured in engines.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-integrating-open-source.html
"""

from __future__ import annotations

from lakehouse.kinds.catalog import CatalogEndpoint, CatalogKind
from lakehouse.kinds.catalogs import glue
from lakehouse.spec.kinds import Limits
from lakehouse.text.placeholders import Text


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog; each request is signed."""
    return {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": f"https://s3tables.{at.store.region}.amazonaws.com/iceberg",
        ".warehouse": at.warehouse,
        ".rest.sigv4-enabled": "true",
        ".rest.signing-name": "s3tables",
        ".rest.signing-region": at.store.region,
        **glue.files(at),
    }


S3TABLES = CatalogKind(
    word="s3tables",
    label="S3 Tables",
    on=(),  # it comes with the store of that name, whichever kind the file names for the catalog
    can=Limits("S3 Tables", format_version=2, nested_namespaces=False),
    for_spark=for_spark,
    for_trino=glue.for_trino,
)
