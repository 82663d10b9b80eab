"""Apache Iceberg's own REST catalog server, which keeps its tables in PostgreSQL.

Settings of its catalog: https://iceberg.apache.org/docs/latest/jdbc/. Protocol:
https://iceberg.apache.org/rest-catalog-spec/
"""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.catalog import CatalogAddress, CatalogEndpoint, CatalogKind, served
from lakehouse.kinds.platform import postgres, proxy
from lakehouse.kinds.platform.postgres import Database
from lakehouse.kinds.platform.proxy import Route
from lakehouse.services import jvm
from lakehouse.services.service import METADATA, File, Place, Port, Probe, Service
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Enforcement, Further, Limits, Listener
from lakehouse.spec.ports import plain
from lakehouse.text.placeholders import Secret, Text, joined
from lakehouse.text.properties import properties

WORD, JAVA = "rest", 25  # it runs on Java 17 and newer; class archives are best on the newest
PACKAGES = ("iceberg-rest-1.10.1", "beanshell-2.0b6", "postgresql-jdbc-42.7.14")
_SERVER = Path(__file__).with_suffix(".bsh")
_STORE = "`store`"
_SETTINGS = "which requests it knows"  # what it gives without a login, if it asks for one


def server(place: Place, at: CatalogEndpoint, entry: KindEntry) -> tuple[Service, ...]:
    """A server for one catalog, because it has no warehouses for several."""
    name, store, database = at.service, at.store, Database.of(at.service, entry)
    port = Port(name, place.port(name), label=f"Iceberg REST ({at.name})", path="/v1/config", gives=METADATA)
    if place.secure:
        port = Port(plain(name), place.port(plain(name)), gives=_SETTINGS, inner=True)
    behind = place.behind(name)
    servers = (name, behind.proxy) if place.secure else (name,)
    settings: dict[str, Text] = {
        "server.host": behind.bind if place.secure else place.bind(),
        "server.port": str(port.number),
        "server.catalog": at.name,
        # The names by which clients reach it, besides addresses.
        "server.hosts": ",".join(dict.fromkeys(("localhost", *map(place.host, servers), place.external(name).host))),
        **({"server.token": proxy.token(name)} if place.secure else {}),
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
    trusting, trusted = jvm.trust(place, name)
    service = Service(
        name=name,
        image=f"temurin-{JAVA}",
        packages=PACKAGES,
        java=JAVA,
        command=(
            place.java(JAVA),
            *(jvm.heap(256), *jvm.QUICK, *trusting),
            *("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"),
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
            *("bsh.Interpreter", f"{place.config(name)}/server.bsh"),
        ),
        files=(
            File("server.bsh", _SERVER.read_text()),
            File("catalog.properties", properties(settings | entry.properties)),
            *trusted,
        ),
        environment=(*jvm.ENVIRONMENT, ("CLASSPATH", ":".join(place.package(each) for each in PACKAGES))),
        ports=(port,),
        probe=Probe("http", port.number, "/v1/config", expect="endpoints"),
        memory_mb=512,
        needs=(store.service, postgres.WORD, *((behind.proxy,) if place.secure else ())),
    )
    return (service,)


def bases(place: Place, name: str, entry: KindEntry) -> tuple[str, str]:
    """The base addresses of the server. In a secure stack they are the proxy's."""
    if not place.secure:
        return served(place, name, entry)
    return f"https://{place.host(place.behind(name).proxy)}:{place.port(name)}", place.external(name).url("https")


def routes(place: Place, at: CatalogEndpoint) -> tuple[Route, ...]:
    """The way through the proxy, because the server has no TLS and asks nobody who they are."""
    label = f"Iceberg REST ({at.name})"
    port = Port(at.service, place.port(at.service), "https", label=label, path="/v1/config", gives="")
    return (Route(port, at.service, proxy.token(at.service)),)


def token(at: CatalogEndpoint) -> Secret | None:
    """What clients show to the proxy."""
    return proxy.token(at.service) if at.secure else None


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/spark-configuration/"""
    return {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": at.internal,
        ".warehouse": at.warehouse,
        # With `token` the client would try to renew it every hour, at an address that the server does not have.
        **({".header.Authorization": joined(["Bearer ", own])} if (own := token(at)) else {}),
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
        **(_trino_token(own) if (own := token(at)) else {}),
        **at.store.for_trino(s3_switch),
    }


def _trino_token(token: Secret) -> dict[str, Text]:
    return {
        "iceberg.rest-catalog.security": "OAUTH2",
        "iceberg.rest-catalog.oauth2.token": token,
        "iceberg.rest-catalog.oauth2.token-refresh-enabled": "false",
    }


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg."""
    return {
        "type": "rest",
        "uri": at.uri,
        "warehouse": at.warehouse,
        **({"token": own} if (own := token(at)) else {}),
        **at.store.for_pyiceberg(),
    }


def addresses(at: CatalogEndpoint) -> tuple[CatalogAddress, ...]:
    """The addresses of the server for clients."""
    meaning = f"catalog `{at.name}` for Spark, Trino, PyIceberg and others: warehouse={at.warehouse}"
    return (CatalogAddress("/", f"Iceberg REST ({at.name})", meaning),)


REST = CatalogKind(
    word=WORD,
    label="Iceberg REST",
    on=("process", "docker", "hosts"),
    listeners=(Listener(WORD, 8181, 8181, "catalog, Iceberg REST", proxied=True),),
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
    bases=bases,
    routes=routes,
    token=token,
    unsecured=None,
    closed=Enforcement(
        "that a client has its token",
        "who a client is: whoever has the token changes names and metadata of all tables",
    ),
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
    reads="/v1/namespaces",
    addresses=addresses,
)
