"""Apache Polaris: several catalogs on one server, with principals, roles and vended credentials.

https://polaris.apache.org/releases/ has the settings of the server. No package registry has it: with runtime process it
comes from a distribution that the file names, on Docker as the official image.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, StrictStr

from lakehouse.kinds.catalog import CatalogAddress, CatalogEndpoint, CatalogKind, Login
from lakehouse.kinds.catalogs import quarkus
from lakehouse.kinds.platform import postgres
from lakehouse.kinds.platform.postgres import Database
from lakehouse.kinds.store import ROLE
from lakehouse.services import jvm
from lakehouse.services.certificate import Certificate
from lakehouse.services.secrets import Pair, shared_credentials
from lakehouse.services.service import NUMBERS, File, Place, Port, Probe, Service, scheme
from lakehouse.spec.databases import DatabaseEntry
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Enforcement, EntryProblem, Further, Limits, Listener, Opening
from lakehouse.spec.locations import scattered
from lakehouse.spec.model import Catalog
from lakehouse.spec.values import CatalogName, Matching
from lakehouse.text.placeholders import Secret, Text, joined
from lakehouse.text.properties import properties

WORD, MANAGEMENT, JAVA = "polaris", "polaris-management", 25  # it runs on Java 21 and newer
IMAGE = "polaris-1.7.0"
REST, API = "/api/catalog", "/api/management/v1"
START = PurePath("bin/server")  # of a distribution
OLDEST = (1, 5)
_JAR = re.compile(r"\bpolaris-(?:core|server)-(\d+)\.(\d+)\b")
# The server splits REALM,NAME,VALUE at , and ; and shows the parts in an error. Clients split NAME:VALUE at the first
# colon.
_BARRED = ",;"
ROOT = Pair.of(
    *("polaris-root", "polaris-root-name", "polaris-root-secret", "root"), lasting=True, barred=(f"{_BARRED}:", _BARRED)
)
_TOKENS = Secret("polaris-tokens")  # signs tokens, so that they are still valid after a restart
_SCOPE = "PRINCIPAL_ROLE:ALL"
#: Property of a catalog that, if "true", lets tables be outside the folder of their namespace, and the server's own.
ANYWHERE = "polaris.config.allow.unstructured.table.location"
_ANYWHERE_OF_SERVER = "ALLOW_UNSTRUCTURED_TABLE_LOCATION"
_CONFIG, _KEYS = "application.properties", "credentials"
_CERTIFICATE, _KEY = "certificate.pem", "key.pem"


def _home(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError(f'"{value}" is not a folder: write the path of an unpacked distribution on one line')
    if value.startswith("~"):
        raise ValueError(f'"{value}" begins with ~, which only a shell replaces: write the whole path')
    return value


Realm = Annotated[StrictStr, Matching("a realm", r"[A-Za-z0-9_-]{1,64}", "letters, digits, _ and -")]


class PolarisEntry(DatabaseEntry):
    """The entry of a catalog on a Polaris server."""

    home: Annotated[StrictStr, AfterValidator(_home)] | None = None
    """Folder of an unpacked Polaris distribution (1.5 or newer) with the program bin/server; only for `process`."""
    realm: Realm | None = None
    """Realm of the server. Default: POLARIS."""
    warehouse: CatalogName | None = None
    """Name of the catalog on the server. Default: its name in this file."""

    def warehouse_of(self, catalog: str) -> str:
        return self.warehouse or catalog


def check(entries: Mapping[str, KindEntry], runtime: str) -> Iterator[EntryProblem]:
    """Problems of the entries of one server's catalogs, some of whose keys must be the same."""
    mine = {catalog: entry for catalog, entry in entries.items() if isinstance(entry, PolarisEntry)}
    first, *others = mine
    if runtime == "process" and mine[first].home is None:
        rule = "no package registry has the Polaris server, so the file names it"
        fix = f"Add home: the folder of a distribution with the program {START}"
        yield EntryProblem(first, "", f'"home" is missing: {rule}. {fix}')
    for catalog, entry in mine.items():
        if runtime == "docker" and entry.home is not None:
            message = f'"{entry.home}" has no effect: with runtime: docker the server comes as an image. Remove it'
            yield EntryProblem(catalog, "home", message)
    for catalog in others:
        for key in ("home", "realm", "properties"):
            own, shared = getattr(mine[catalog], key), getattr(mine[first], key)
            if own and own != shared:
                rule = f"one server serves all catalogs of kind {WORD}, and {first} has {shared or 'none'}"
                yield EntryProblem(catalog, key, f'"{own}" differs: {rule}. Set it at {first}, and remove it here')
    names: dict[str, str] = {}
    for catalog, entry in mine.items():
        name = entry.warehouse_of(catalog)
        if (other := names.setdefault(name, catalog)) != catalog:
            yield EntryProblem(catalog, "", f'"{name}" is also the warehouse of {other}. Write another `warehouse`')


def look(entries: Mapping[str, KindEntry], folder: Path) -> Iterator[EntryProblem]:
    """Problems of the folders that the entries name. ``folder`` is the folder of the file."""
    for catalog, entry in entries.items():
        if isinstance(entry, PolarisEntry) and entry.home is not None:
            home = folder / entry.home
            if not home.is_dir():
                yield EntryProblem(
                    catalog, "home", f'"{entry.home}" does not exist. Unpack a Polaris distribution to that folder'
                )
            elif not os.access(home / START, os.X_OK):
                fix = "Name the folder of an unpacked binary distribution (polaris-bin-VERSION)"
                yield EntryProblem(catalog, "home", f'"{entry.home}" has no program {START}. {fix}')
            elif (found := _version(home)) is not None and found < OLDEST:
                own, oldest = (".".join(map(str, each)) for each in (found, OLDEST))
                rule = f"an older server than {oldest} reads the credentials of its root from no file, and makes others"
                yield EntryProblem(catalog, "home", f'"{entry.home}" has Polaris {own}: {rule}. Unpack a newer one')


def _version(home: Path) -> tuple[int, int] | None:
    """The version of a distribution, from the names of its server's jars; None if they do not say it."""
    names = (jar.name for folder in ("app", "lib/main") for jar in (home / "server" / folder).glob("*polaris-*.jar"))
    found = (_JAR.search(name) for name in names)
    return max(((int(each[1]), int(each[2])) for each in found if each), default=None)


def server(place: Place, at: CatalogEndpoint, entry: KindEntry) -> tuple[Service, ...]:
    """One server for all catalogs of the kind. It keeps its entities in PostgreSQL."""
    assert isinstance(entry, PolarisEntry)
    store, database, realm = at.store, Database.of(WORD, entry), entry.realm or "POLARIS"
    port, management, config = place.port(WORD), place.port(MANAGEMENT), place.config(WORD)
    broker = "polaris.authentication.token-broker"
    settings: dict[str, Text] = {
        "quarkus.http.host": place.bind(),
        "quarkus.http.port": str(port),
        "quarkus.management.host": place.bind(),
        "quarkus.management.port": str(management),
        "quarkus.log.level": "WARN",
        "quarkus.log.file.enabled": "false",
        "quarkus.log.console.format": "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p [%c{2.}] %s%e%n",
        # Who did what: `lakehouse access log` reads these lines.
        "quarkus.http.access-log.enabled": "true",
        "quarkus.http.access-log.pattern": "common",
        'quarkus.log.category."io.quarkus.http.access-log".level': "INFO",
        "quarkus.otel.sdk.disabled": "true",
        "polaris.realm-context.realms": realm,
        "polaris.persistence.type": "relational-jdbc",
        "polaris.persistence.auto-bootstrap-types": "relational-jdbc",
        "polaris.bootstrap.credentials": joined([f"{realm},", ROOT.name, ",", ROOT.value]),
        f"{broker}.type": "symmetric-key",
        f"{broker}.symmetric-key.secret": _TOKENS,
        "quarkus.datasource.jdbc.url": database.jdbc(place),
        "quarkus.datasource.username": database.user,
        "quarkus.datasource.password": database.password,
        # The server reports a key in its settings as a severe problem and would not be ready.
        "polaris.readiness.ignore-severe-issues": "true",
    }
    keys = shared_credentials(store.access_key, store.secret_key)
    trusting, trusted = jvm.trust(place, WORD)
    if place.secure:
        settings |= _secured(config, port)
        trusted += _certificate(place)
    java, options = place.java(JAVA), (jvm.heap(384), *jvm.QUICK)
    surroundings: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...]
    if entry.home is None:  # in a container
        command = (java, *options, *trusting, "-jar", place.package(IMAGE))
    else:
        command = (f"{place.named(entry.home)}/{START}",)
        surroundings = (("JAVA_HOME", str(PurePath(java).parent.parent)), ("POLARIS_JAVA_OPTS", " ".join(options)))
        if trusting:  # with paths, which may have spaces: the program splits the former at each, and Java reads quotes
            surroundings += (("JDK_JAVA_OPTIONS", jvm.variable(trusting)),)
    service = Service(
        name=WORD,
        image=IMAGE,
        packages=(),
        java=JAVA,
        command=command,
        files=(File(_CONFIG, properties(settings | entry.properties)), File(_KEYS, keys), *trusted),
        environment=(
            *jvm.ENVIRONMENT,
            *surroundings,
            # A URI, because in a path some characters would begin an expression or separate a list.
            ("QUARKUS_CONFIG_LOCATIONS", f"file://{quote(f'{config}/{_CONFIG}')}"),
            ("AWS_SHARED_CREDENTIALS_FILE", f"{config}/{_KEYS}"),
            ("AWS_REGION", store.region),
        ),
        ports=(
            Port(WORD, port, scheme(place), label="Polaris", gives=""),
            Port(MANAGEMENT, management, gives=NUMBERS, numbers=quarkus.NUMBERS),
        ),
        probe=Probe("http", management, "/q/health/ready", expect="UP"),
        memory_mb=640,
        needs=(store.service, postgres.WORD),
    )
    return (service,)


def _secured(config: str, port: int) -> dict[str, Text]:
    """TLS on the port of both interfaces."""
    folder = config.replace("$", "$$")  # else it could begin an expression
    return quarkus.tls(port, f"{folder}/{_CERTIFICATE}", f"{folder}/{_KEY}")


def _certificate(place: Place) -> tuple[File, ...]:
    own = Certificate.of(WORD, place.host(WORD), [place.external(WORD)])
    return File(_CERTIFICATE, own.chain), File(_KEY, own.key)


def vends(at: CatalogEndpoint) -> bool:
    """Whether the server gives clients keys of the store for each table.

    They come with the store's address, which must then be the same for services and for users.
    """
    return at.store.sts and at.store.internal == at.store.external


def to_writers(catalog: Catalog, entry: KindEntry) -> Iterator[Opening]:
    """Ways around filters: by its properties a table gets keys for a folder that is another's."""
    on = (value for key, value in entry.properties.items() if _ANYWHERE_OF_SERVER in key)
    if scattered(catalog) or "true" in (catalog.properties.get(ANYWHERE), *on):
        yield Opening(
            "one of its principals may also write to another table of the catalog and point that table at any folder of"
            " it, as tables may be outside of their namespace's folder there, and gets keys for that folder",
            f"let none of its principals write in the catalog, or remove each `location` of a table, each rename to"
            f" another namespace and {ANYWHERE}",
        )


def storage(at: CatalogEndpoint) -> Mapping[str, Any]:
    """The storage configuration of a catalog for the server, without the locations that the server may use."""
    store = at.store
    settings: dict[str, Any] = {
        "storageType": "S3",
        "endpoint": store.external,
        "endpointInternal": store.internal,
        "region": store.region,
        "pathStyleAccess": True,
    }
    if vends(at):
        return {**settings, "roleArn": ROLE, "stsEndpoint": store.internal, "kmsUnavailable": True}
    return {**settings, "stsUnavailable": True}


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/spark-configuration/"""
    settings: dict[str, Text] = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".type": "rest",
        ".uri": f"{at.internal}{REST}",
        ".warehouse": at.warehouse,
        ".oauth2-server-uri": f"{at.internal}{LOGIN.tokens}",
        ".credential": joined([ROOT.name, ":", ROOT.value]),
        ".scope": _SCOPE,
    }
    if not vends(at):
        return settings | at.store.for_spark()
    return settings | {
        ".header.X-Iceberg-Access-Delegation": "vended-credentials",
        ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        ".s3.endpoint": at.store.internal,
        ".s3.path-style-access": "true",
        ".client.region": at.store.region,
    }


def for_trino(at: CatalogEndpoint, s3_switch: str, branch: str) -> dict[str, Text]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/current/object-storage/metastores.html"""
    settings: dict[str, Text] = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": f"{at.internal}{REST}",
        "iceberg.rest-catalog.warehouse": at.warehouse,
        "iceberg.rest-catalog.nested-namespace-enabled": "true",
        "iceberg.rest-catalog.security": "OAUTH2",
        "iceberg.rest-catalog.oauth2.server-uri": f"{at.internal}{LOGIN.tokens}",
        "iceberg.rest-catalog.oauth2.credential": joined([ROOT.name, ":", ROOT.value]),
        "iceberg.rest-catalog.oauth2.scope": _SCOPE,
    }
    if not vends(at):
        return settings | at.store.for_trino(s3_switch)
    return settings | {
        "iceberg.rest-catalog.vended-credentials-enabled": "true",
        s3_switch: "true",
        "s3.endpoint": at.store.internal,
        "s3.path-style-access": "true",
        "s3.region": at.store.region,
    }


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg."""
    settings: dict[str, Text] = {
        "type": "rest",
        "uri": at.uri,
        "warehouse": at.warehouse,
        "oauth2-server-uri": f"{at.external}{LOGIN.tokens}",
        "credential": joined([ROOT.name, ":", ROOT.value]),
        "scope": _SCOPE,
    }
    if vends(at):
        return settings | {"s3.endpoint": at.store.external, "s3.region": at.store.region}
    # If asked to delegate access, the server would report that it has no keys, but still create the table.
    return settings | {**at.store.for_pyiceberg(), "header.X-Iceberg-Access-Delegation": ""}


def addresses(at: CatalogEndpoint) -> tuple[CatalogAddress, ...]:
    """The addresses of the server for clients."""
    name = f"catalog `{at.name}` for Spark, Trino, PyIceberg and others"
    return (
        CatalogAddress(REST, f"Iceberg REST ({at.name})", f"{name}: warehouse={at.warehouse}"),
        CatalogAddress(f"{API}/catalogs", "Polaris", "catalogs, principals and roles of the server"),
    )


_CLIENTS = "the lakehouse: clients have its keys"
LOGIN = Login(ROOT, f"{REST}/v1/oauth/tokens", _SCOPE)
POLARIS = CatalogKind(
    word=WORD,
    label="Polaris",
    shared=True,
    check=check,
    look=look,
    entry=PolarisEntry,
    listeners=(
        Listener(WORD, 8181, 8181, "catalogs, Iceberg REST and their management"),
        Listener(MANAGEMENT, 8182, 8182),
    ),
    volatile="polaris.",
    unsecured=None,
    can=Limits("Polaris", views=True, renames=True),
    opening=None,
    to_writers=to_writers,
    guard=Enforcement(
        "grants on catalogs, namespaces, tables and views; it gives keys only for files of granted tables",
        "filters and masks: a table with them is closed",
    ),
    further=Further(
        _CONFIG,
        key=r"(polaris|quarkus)\.[\w.\"*-]+",
        example='polaris.features."ALLOW_TABLE_LOCATION_OVERLAP": "true"',
        owned={
            "quarkus.http.host": "the runtime",
            "quarkus.http.port": "`ports` of the stack",
            "quarkus.management.host": "the runtime",
            "quarkus.management.port": "`ports` of the stack",
            "quarkus.datasource.*": "the lakehouse: the server has its own database",
            "polaris.realm-context.realms": "`realm`",
            "polaris.bootstrap.credentials": "`credentials` of the stack",
            "polaris.persistence.*": "the lakehouse: entities are in PostgreSQL",
            "polaris.authentication.token-broker.*": _CLIENTS,
        },
        forbidden={"${": "an expression"},
    ),
    secured=(*quarkus.SECURED, "polaris.authentication.*"),
    needs=(postgres.WORD,),
    services=server,
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
    rest=REST,
    api=API,
    addresses=addresses,
    login=LOGIN,
    storage=storage,
)
