"""Apache Iceberg's own REST catalog server, which keeps its tables in PostgreSQL.

Settings of its catalog: https://iceberg.apache.org/docs/latest/jdbc/. Protocol:
https://iceberg.apache.org/rest-catalog-spec/
"""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.catalog import CatalogAddress, CatalogEndpoint, CatalogKind
from lakehouse.kinds.platform import postgres
from lakehouse.kinds.platform.postgres import Database
from lakehouse.services import jvm
from lakehouse.services.service import METADATA, File, Place, Port, Probe, Service
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Further, Limits, Listener
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

WORD, JAVA = "rest", 25  # it runs on Java 17 and newer; class archives are best on the newest
PACKAGES = ("iceberg-rest-1.10.1", "beanshell-2.0b6", "postgresql-jdbc-42.7.14")
_SERVER = Path(__file__).with_suffix(".bsh")
_STORE = "`store`"


def server(place: Place, at: CatalogEndpoint, entry: KindEntry) -> tuple[Service, ...]:
    """A server for one catalog, because it has no warehouses for several."""
    name, store, database = at.service, at.store, Database.of(at.service, entry)
    port = place.port(name)
    settings: dict[str, Text] = {
        "server.host": place.bind(),
        "server.port": str(port),
        "server.catalog": at.name,
        "catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "uri": database.jdbc(place),
        "jdbc.user": database.user,
        "jdbc.password": database.password,
        "jdbc.schema-version": "V1",  # the first with views
        # PostgreSQL returns these codes when it stops. The pool then opens a new connection, as for a broken one.
        "retryable_status_codes": "57P01,57P02,57P03",
        "warehouse": at.location,
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "s3.endpoint": store.internal,
        "s3.path-style-access": "true",
        "s3.access-key-id": store.access_key,
        "s3.secret-access-key": store.secret_key,
        "client.region": store.region,
    }
    service = Service(
        name=name,
        image=f"temurin-{JAVA}",
        packages=PACKAGES,
        java=JAVA,
        command=(
            place.java(JAVA),
            *(jvm.heap(256), *jvm.QUICK),
            *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"),
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
            *("bsh.Interpreter", f"{place.config(name)}/server.bsh"),
        ),
        files=(
            File("server.bsh", _SERVER.read_text()),
            File("catalog.properties", properties(settings | entry.properties)),
        ),
        environment=(*jvm.ENVIRONMENT, ("CLASSPATH", ":".join(place.package(each) for each in PACKAGES))),
        ports=(Port(name, port, label=f"Iceberg REST ({at.name})", path="/v1/config", gives=METADATA),),
        probe=Probe("http", port, "/v1/config", expect="endpoints"),
        memory_mb=512,
        needs=(store.service, postgres.WORD),
    )
    return (service,)


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/spark-configuration/"""
    return {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": at.internal,
        ".warehouse": at.warehouse,
        **at.store.for_spark(),
    }


def for_trino(at: CatalogEndpoint, s3_switch: str, branch: str) -> dict[str, Text]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/current/object-storage/metastores.html"""
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": at.internal,
        "iceberg.rest-catalog.warehouse": at.warehouse,
        "iceberg.rest-catalog.nested-namespace-enabled": "true",
        **at.store.for_trino(s3_switch),
    }


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg."""
    return {
        "type": "rest",
        "uri": at.uri,
        "warehouse": at.warehouse,
        **at.store.for_pyiceberg(),
    }


def addresses(at: CatalogEndpoint) -> tuple[CatalogAddress, ...]:
    """The addresses of the server for clients."""
    meaning = f"catalog `{at.name}` for Spark, Trino, PyIceberg and others: warehouse={at.warehouse}"
    return (CatalogAddress("/", f"Iceberg REST ({at.name})", meaning),)


REST = CatalogKind(
    word=WORD,
    label="Iceberg REST",
    listeners=(Listener(WORD, 8181, 8181, "catalog, Iceberg REST"),),
    # It offers transactions/commit, but commits the tables one after the other, and keeps those before one that fails.
    can=Limits("Iceberg REST", views=True, renames=True),
    entry=DatabaseEntry,
    further=Further(
        "catalog.properties",
        key=r"clients|(jdbc|s3|client|http-client|table-default|table-override)\.[\w.-]+",
        example="clients: 8",
        owned={
            "jdbc.user": "the lakehouse: the catalog has its own",
            "jdbc.password": "the lakehouse: the catalog has its own",
            "jdbc.schema-version": "the lakehouse: views need V1",
            "s3.endpoint": _STORE,
            "s3.path-style-access": _STORE,
            "s3.access-key-id": _STORE,
            "s3.secret-access-key": _STORE,
            "client.region": _STORE,
        },
    ),
    needs=(postgres.WORD,),
    services=server,
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
    reads="/v1/namespaces",
    addresses=addresses,
)
