"""The AWS Glue Data Catalog, or a server with its API, as configured in engines.

In AWS its databases are made in :mod:`lakehouse.aws.glue`. On this machine it keeps the metadata, and the stack's own
store the files: Glue has its own region and keys, apart from the store's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lakehouse.kinds.catalog import Account, CatalogEndpoint, CatalogKind
from lakehouse.services.secrets import Pair
from lakehouse.services.service import Place
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import AWS, Enforcement, EntryProblem, Limits, Unsecured
from lakehouse.spec.values import GlueAddress, Region, on_loopback
from lakehouse.text.placeholders import Text

WORD = "glue"
CACHED_SECONDS = 3600  # how long a session of Spark in AWS caches what it knows about a table
POOL = 10  # connections that an engine keeps to Glue, and one of Spark's processes to S3
TIMEOUT_MS = 30_000  # until a connection counts as failed
KEYS = Pair.of("glue", "glue-access-key", "glue-secret-key", of_aws=True)


class GlueEntry(KindEntry):
    """The entry of a catalog in Glue."""

    region: Region | None = None
    """AWS region of Glue; required on this machine. In AWS it is the stack's."""
    endpoint: GlueAddress | None = None
    """Address of Glue, or of a server with its API; only on this machine. Default: AWS's own in the region."""


def check(entries: Mapping[str, KindEntry], runtime: str) -> Iterator[EntryProblem]:
    """Problems of the entries in a stack on this machine with that runtime, or in AWS."""
    for catalog, entry in entries.items():
        if not isinstance(entry, GlueEntry):
            continue
        if runtime == AWS:
            for key in ("region", "endpoint"):
                if value := getattr(entry, key):
                    rule = "a stack in AWS uses the Glue of its own region"
                    yield EntryProblem(catalog, key, f'"{value}" has no effect: {rule}. Remove it')
            continue
        if entry.region is None:
            rule = "this stack is not in AWS, so the file says which region's Glue has the tables"
            yield EntryProblem(catalog, "", f'"region" is missing: {rule}. Write {{kind: {WORD}, region: eu-west-1}}')
        if runtime == "docker" and entry.endpoint and on_loopback(entry.endpoint):
            rule = "in a container that is the container itself"
            fix = "Name a host that containers and this machine both know"
            yield EntryProblem(catalog, "endpoint", f'"{entry.endpoint}" cannot be reached: {rule}. {fix}')


def bases(place: Place, server: str, entry: KindEntry) -> tuple[str, str]:
    """Glue's address; empty for AWS's own."""
    address = (entry.endpoint if isinstance(entry, GlueEntry) else None) or ""
    return address, address


def account(at: CatalogEndpoint) -> Account | None:
    """Glue's region and keys if they are apart from the store's, as on this machine."""
    if at.entry is None:
        return None
    region = at.entry.region if isinstance(at.entry, GlueEntry) else None
    return Account(region or at.store.region, KEYS)


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/aws/#glue-catalog

    Iceberg signs requests to the store with Glue's region too. It has no setting for Glue's keys: they come from the
    file that ``AWS_SHARED_CREDENTIALS_FILE`` names.
    """
    own = account(at)
    settings: dict[str, Text] = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        ".warehouse": at.location,
        **(files(at) if own is None else at.store.for_spark()),
        ".client.region": at.store.region if own is None else own.region,
    }
    return settings | ({".glue.endpoint": at.internal} if at.internal else {})


def files(at: CatalogEndpoint) -> dict[str, Text]:
    """How Spark in AWS reads and writes S3, and how long it caches what it knows about a table."""
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
    own = account(at)
    settings: dict[str, Text] = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        "hive.metastore.glue.region": at.store.region if own is None else own.region,
        "hive.metastore.glue.default-warehouse-dir": at.location,
        "hive.metastore.glue.max-connections": str(POOL),
        s3_switch: "true",
        "s3.region": at.store.region,
    }
    if at.internal:
        settings["hive.metastore.glue.endpoint-url"] = at.internal
    if own is not None or at.internal:
        settings |= {
            "hive.metastore.glue.aws-access-key": at.store.access_key if own is None else own.keys.name,
            "hive.metastore.glue.aws-secret-key": at.store.secret_key if own is None else own.keys.value,
            **at.store.for_trino(s3_switch),
        }
    return settings


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg: https://py.iceberg.apache.org/configuration/#glue-catalog"""
    own = account(at)
    settings: dict[str, Text] = {"type": WORD, "warehouse": at.location, **at.store.for_pyiceberg()}
    if at.internal:
        settings["glue.endpoint"] = at.external
    if own is not None:
        settings |= {
            "glue.region": own.region,
            "glue.access-key-id": own.keys.name,
            "glue.secret-access-key": own.keys.value,
        }
    return settings


GLUE = CatalogKind(
    word=WORD,
    label="Glue",
    on=("process", "docker", AWS),
    entry=GlueEntry,
    check=check,
    outside=("region", "endpoint"),
    # Iceberg's GlueCatalog is no catalog of views; Trino keeps its own ones there, which no other engine can read.
    can=Limits("Glue", format_version=2, nested_namespaces=False),
    opening=None,
    unsecured=Unsecured("AWS serves it by https, but nobody has tried its clients with a stack's own authority yet"),
    guard=Enforcement(
        "nothing by itself: your account's IAM does",
        "grants: no principal has keys; the services have one pair",
    ),
    bases=bases,
    located=True,
    account=account,
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
)
