"""Hive Metastore, which keeps the locations of tables in PostgreSQL.

https://hive.apache.org/docs/latest/adminmanual-metastore-3-0-administration_75978150/ has the settings of the server,
https://iceberg.apache.org/docs/latest/configuration/#hadoop-configuration those of its clients.
"""

from __future__ import annotations

from pathlib import Path

from lakehouse.kinds.catalog import CatalogAddress, CatalogEndpoint, CatalogKind, job_name
from lakehouse.kinds.platform import postgres
from lakehouse.kinds.platform.postgres import Database
from lakehouse.services import jvm
from lakehouse.services.service import METADATA, File, Place, Port, Probe, Service
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Feature, Further, Limit, Limits, Listener, Unsecured
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties
from lakehouse.text.xml import configuration

WORD, JAVA = "hive", 21  # Hadoop's login breaks with Java 24
METASTORE, DRIVER = "hive-standalone-metastore-3.1.3", "postgresql-jdbc-42.7.14"
SHELL = "beanshell-2.0b6"
# Hadoop needs the older HTTP client of the AWS SDK, which the bundle of 1.12 lacks.
S3A = "hadoop-aws-3.4.1"
PACKAGES = (METASTORE, "iceberg-aws-bundle-1.11.0", DRIVER, SHELL, S3A)
SCHEMA = "3.1.0"  # of all metastores 3.1
SESSION = "spark_catalog"  # Spark's name for its session's own catalog
_SCRIPTS = Path(__file__).parent
_S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"
# The packages that Hive and Hadoop access by reflection.
_OPENED = ("java.lang", "java.util", "java.util.concurrent", "java.net", "java.io", "java.nio")
_STORE = "`store`"


def services(place: Place, at: CatalogEndpoint, entry: KindEntry) -> tuple[Service, ...]:
    """A job that creates the tables in the database, and a metastore, for one catalog."""
    return (_schema(place, at, entry), _metastore(place, at, entry))


def _job(at: CatalogEndpoint) -> str:
    return job_name(at.service, "schema")


def _schema(place: Place, at: CatalogEndpoint, entry: KindEntry) -> Service:
    name, database = _job(at), Database.of(at.service, entry)
    packages = (SHELL, DRIVER, METASTORE)
    settings: dict[str, Text] = {
        "url": database.jdbc(place),
        "user": database.user,
        "password": database.password,
        "version": SCHEMA,
        "script": f"{place.package(METASTORE)}/schema.sql",
    }
    return Service(
        name=name,
        image=f"temurin-{JAVA}",
        packages=packages,
        java=JAVA,
        command=(
            place.java(JAVA),
            *(jvm.heap(128), *jvm.QUICK),
            *("bsh.Interpreter", f"{place.config(name)}/schema.bsh"),
        ),
        files=(
            File("schema.bsh", (_SCRIPTS / "hive-schema.bsh").read_text()),
            File("schema.properties", properties(settings)),
        ),
        environment=(*jvm.ENVIRONMENT, ("CLASSPATH", ":".join(place.package(each) for each in packages[:2]))),
        probe=Probe("end"),
        memory_mb=192,
        needs=(postgres.WORD,),
    )


def _metastore(place: Place, at: CatalogEndpoint, entry: KindEntry) -> Service:
    name, store, database = at.service, at.store, Database.of(at.service, entry)
    port, home = place.port(name), place.package(METASTORE)
    settings: dict[str, Text] = {
        "metastore.thrift.bind.host": place.bind(),
        "metastore.thrift.port": str(port),
        "metastore.warehouse.dir": at.location,
        "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
        "javax.jdo.option.ConnectionURL": database.jdbc(place),
        "javax.jdo.option.ConnectionUserName": database.user,
        "javax.jdo.option.ConnectionPassword": database.password,
        # Hive's default lists name classes of other parts of Hive. The second task releases locks whose owner died.
        "metastore.task.threads.always": "org.apache.hadoop.hive.metastore.events.EventCleanerTask,"
        "org.apache.hadoop.hive.metastore.txn.AcidHouseKeeperService",
        "metastore.expression.proxy": "org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy",
        # Iceberg finds columns by their ids, not by their position and type.
        "metastore.disallow.incompatible.col.type.changes": "false",
        "fs.s3.impl": _S3A,
        "fs.s3a.endpoint": store.internal,
        "fs.s3a.endpoint.region": store.region,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.access.key": store.access_key,
        "fs.s3a.secret.key": store.secret_key,
        "fs.s3a.change.detection.mode": "none",
        "datanucleus.autoStartMechanismMode": "ignored",  # otherwise each connection logs that it is
        "metastore.stats.autogather": "false",  # it would list the files of new tables
    }
    jars = [place.package(each) for each in PACKAGES[1:-1]]
    classes = (f"{home}/*", *jars, f"{place.package(S3A)}/*", f"{home}/lib/*")
    return Service(
        name=name,
        image=f"temurin-{JAVA}",
        packages=PACKAGES,
        java=JAVA,
        command=(
            place.java(JAVA),
            *(jvm.heap(256), *jvm.QUICK),
            *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
            "-Dlog4j2.level=WARN",
            *("bsh.Interpreter", f"{place.config(name)}/metastore.bsh"),
        ),
        files=(
            File("metastore.bsh", (_SCRIPTS / "hive.bsh").read_text()),
            File("metastore-site.xml", configuration(settings | entry.properties)),
        ),
        environment=(
            *jvm.ENVIRONMENT,
            ("CLASSPATH", ":".join(classes)),
            # Not on the class path, because with a folder on it no class archive would fit.
            ("METASTORE_CONF_DIR", place.config(name)),
        ),
        ports=(Port(name, port, "tcp", label=f"Hive Metastore ({at.name})", gives=METADATA),),
        probe=Probe("tcp", port),
        memory_mb=512,
        needs=(store.service, postgres.WORD, _job(at)),
    )


def bases(place: Place, server: str, entry: KindEntry) -> tuple[str, str]:
    """The addresses of a metastore: for services, and from outside."""
    return f"thrift://{place.host(server)}:{place.port(server)}", f"thrift://{place.external(server)}"


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/spark-configuration/"""
    settings: dict[str, Text] = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "hive",
        ".uri": at.internal,
        ".warehouse": at.warehouse,
        **at.store.for_spark(),
    }
    if at.name != SESSION:
        return settings
    return settings | {
        "": "org.apache.iceberg.spark.SparkSessionCatalog",
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": at.internal,
        # A table without USING is one of Iceberg, as in every other catalog.
        "spark.sql.sources.default": "iceberg",
        "spark.sql.legacy.createHiveTableByDefault": "false",
    }


def for_trino(at: CatalogEndpoint, s3_switch: str, branch: str) -> dict[str, Text]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/current/object-storage/metastores.html"""
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "hive_metastore",
        "hive.metastore.uri": at.internal,
        **at.store.for_trino(s3_switch),
    }


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg."""
    return {
        "type": "hive",
        "uri": at.uri,
        "warehouse": at.warehouse,
        **at.store.for_pyiceberg(),
    }


def addresses(at: CatalogEndpoint) -> tuple[CatalogAddress, ...]:
    """The addresses of the server for clients."""
    meaning = f"catalog `{at.name}` for Spark, Trino, PyIceberg and others: hive.metastore.uris"
    return (CatalogAddress("", f"Hive Metastore ({at.name})", meaning),)


HIVE = CatalogKind(
    word=WORD,
    label="Hive Metastore",
    entry=DatabaseEntry,
    listeners=(Listener(WORD, 9083, 9083, "catalog, Thrift"),),
    unsecured=Unsecured("all that its Thrift port asks clients for is Kerberos, which no stack runs"),
    can=Limits("Hive", format_version=2, nested_namespaces=False, views=True, renames=True),
    further=Further(
        "metastore-site.xml",
        key=r"(metastore|hive|datanucleus|fs\.s3a)\.[\w.-]+",
        example="metastore.txn.timeout: 120s",
        owned={
            "metastore.thrift.bind.host": "the runtime",
            "metastore.thrift.port": "`ports` of the stack",
            "metastore.warehouse.dir": "`location` of the catalog",
            "fs.s3a.endpoint": _STORE,
            "fs.s3a.endpoint.region": _STORE,
            "fs.s3a.path.style.access": _STORE,
            "fs.s3a.access.key": _STORE,
            "fs.s3a.secret.key": _STORE,
        },
        forbidden={"${": "an expression"},
    ),
    limits=(
        Limit(
            Feature.VIEW,
            refused=True,
            rule='Trino keeps its own views in this kind of catalog, and does not read Iceberg\'s ("{}")',
            fix="Give the view only the SQL of Spark: `sql: {spark: ...}`",
            engine="trino",
        ),
    ),
    needs=(postgres.WORD,),
    replaces=(SESSION,),
    services=services,
    bases=bases,
    located=True,
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
    addresses=addresses,
)
