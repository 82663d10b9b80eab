"""Project Nessie: the catalog with branches, served as Iceberg REST and as its own API.

Configuration reference: https://projectnessie.org/nessie-latest/configuration/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from lakehouse.access.nessie import nessie_rules
from lakehouse.kinds.catalog import CatalogAddress, CatalogEndpoint, CatalogKind
from lakehouse.kinds.catalogs import quarkus
from lakehouse.services import jvm
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import METADATA, NUMBERS, File, Place, Port, Probe, Service
from lakehouse.spec.entries import KindEntry
from lakehouse.spec.kinds import Asking, Enforcement, Feature, Further, Limit, Limits, Listener, Opening
from lakehouse.text.placeholders import OWNERS, Secret, Text
from lakehouse.text.properties import properties

VERSION, JAVA = "0.99.0", 25  # it runs on Java 21 and newer; class archives are best on the newest
REST, API = "/iceberg", "/api/v2"
WORD, MANAGEMENT = "nessie", "nessie-management"
CONFIG = f"{API}/config"  # the path of its own settings, which anybody may read
_KEY, _CERTIFICATE, _AUTHORITY = "key.pem", "certificate.pem", "authority.pem"
SIGNER = "nessie-tokens"  # the key that signs tokens, for all servers of a stack
_VERIFIER = Secret(f"{SIGNER}.pub", "verifier", SIGNER)
OWNER = "lakehouse"  # who the toolkit's own clients are


def token_of(who: str = "") -> Secret:
    """The token of the toolkit's clients, or of a service of the stack. Each may do everything."""
    subject = f"{OWNER}/{who}" if who else OWNER
    return Secret(f"nessie-{who or OWNER}.jwt", "token", SIGNER, subject=subject)


def server(place: Place, at: CatalogEndpoint, entry: KindEntry) -> tuple[Service, ...]:
    """A Nessie server for one catalog; its versions are in RocksDB, so they outlive the process.

    Nessie's warehouses share one tree of namespaces, so two catalogs need two servers.
    """
    name, catalog, location, store = at.service, at.name, at.location, at.store
    port, management = place.port(name), place.port(name.replace(WORD, MANAGEMENT, 1))
    data = os.path.relpath(place.data(name), place.config(name))
    s3 = "nessie.catalog.service.s3.default-options"
    settings: dict[str, Text] = {
        "quarkus.http.host": place.bind(),
        "quarkus.http.port": str(port),
        "quarkus.management.host": place.bind(),
        "quarkus.management.port": str(management),
        "quarkus.log.level": "WARN",
        "quarkus.log.console.format": "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p [%c{2.}] %s%e%n",
        "quarkus.otel.sdk.disabled": "true",
        # Readiness is that of the catalog: the bootstrap creates its bucket afterwards.
        "nessie.catalog.object-stores.health-check.enabled": "false",
        "nessie.version.store.type": "ROCKSDB",
        # From its working folder: in a path with ${ Nessie would look for an expression.
        "nessie.version.store.persist.rocks.database-path": f"{data}/rocksdb",
        "nessie.catalog.default-warehouse": catalog,
        f"nessie.catalog.warehouses.{catalog}.location": location,
        f"{s3}.endpoint": store.internal,
        f"{s3}.external-endpoint": store.external,
        f"{s3}.path-style-access": "true",
        f"{s3}.region": store.region,
        # Clients sign with their own keys: the store has no STS, and remote signing costs a round trip per request.
        f"{s3}.request-signing-enabled": "false",
        f"{s3}.access-key": "urn:nessie-secret:quarkus:store",
        "store.name": store.access_key,
        "store.secret": store.secret_key,
    }
    package = f"nessie-{VERSION}"
    trusting, files = jvm.trust(place, name)
    ports = [Port(name, port, label=f"Nessie ({catalog})", path="/tree/main", gives=METADATA)]
    if place.secure:
        settings |= _secured(port) | _rules(at)
        # The server does not read the token: it is here so that a deploy makes and replaces it with the key that signs.
        files += (*_certificates(place, name), File("owner.jwt", token_of()))
        ports = [Port(name, port, "https", label=f"Nessie ({catalog})", path=CONFIG, meaning=_MEANING, gives=_GIVES)]
        probe = Probe("https", port, CONFIG, expect='"defaultBranch"', trust=_AUTHORITY)
    else:
        probe = Probe("http", management, "/q/health/ready", expect="UP")
        ports.append(Port(name.replace(WORD, MANAGEMENT, 1), management, gives=NUMBERS, numbers=quarkus.NUMBERS))
    service = Service(
        name=name,
        image=package,
        packages=(package,),
        java=JAVA,
        command=(
            place.java(JAVA),
            *(jvm.heap(256), *jvm.QUICK, *trusting),
            # quarkus.config.locations cannot name a path with spaces; config/ in the working folder is read anyway.
            *("-jar", place.package(package)),
        ),
        files=(File("config/application.properties", properties(settings | entry.properties)), *files),
        environment=jvm.ENVIRONMENT,
        data=(place.data(name),),
        ports=tuple(ports),
        probe=probe,
        memory_mb=512,
        needs=(store.service,),
        renewal="itself" if place.secure else "",
    )
    return (service,)


_MEANING = "catalog's branches, tags and history, for who has a token; its pages do not ask a browser for one"
_GIVES = "its version and the name of its default branch"


def _secured(port: int) -> dict[str, Text]:
    """TLS, tokens instead of an identity provider, and no port for health and numbers, which would ask nobody.

    https://quarkus.io/version/3.15/guides/security-oidc-bearer-token-authentication
    """
    return {
        **quarkus.tls(port, _CERTIFICATE, _KEY),
        "quarkus.management.host-enabled": "false",
        "nessie.server.authentication.enabled": "true",
        # Whether it is up is asked without a token.
        "nessie.server.authentication.anonymous-paths": CONFIG,
        "nessie.server.authentication.anonymous-path-prefixes": "",
        "quarkus.oidc.tenant-enabled": "true",
        "quarkus.oidc.public-key": _VERIFIER,
        "quarkus.oidc.token.issuer": OWNER,
    }


def _rules(at: CatalogEndpoint) -> dict[str, Text]:
    """Who may do what. The server reads it at its start, so a changed grant restarts it."""
    rules = {f"nessie.server.authorization.rules.{name}": rule for name, rule in at.rules.items()}
    return {"nessie.server.authorization.enabled": "true", **rules}


def _certificates(place: Place, name: str) -> tuple[File, ...]:
    own = Certificate.of(name, place.host(name), [place.external(name)])
    return File(_KEY, own.key), File(_CERTIFICATE, own.chain), File(_AUTHORITY, own.authority)


def token(at: CatalogEndpoint) -> Secret | None:
    """What the toolkit's own clients show."""
    return token_of() if at.secure else None


def for_spark(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of Spark's catalog: https://iceberg.apache.org/docs/latest/nessie/

    Nessie's own client, not its Iceberg REST endpoint: up to 0.99 that one shows, and at each commit keeps, only the
    current snapshot (projectnessie/nessie#9634), so there would be no history and no time travel.
    """
    return {
        "": "org.apache.iceberg.spark.SparkCatalog",
        ".catalog-impl": "org.apache.iceberg.nessie.NessieCatalog",
        ".uri": f"{at.internal}{API}",
        ".ref": "main",
        ".warehouse": at.location,
        **({".authentication.type": "BEARER", ".authentication.token": token_of("spark")} if at.secure else {}),
        **at.store.for_spark(),
    }


def for_trino(at: CatalogEndpoint, s3_switch: str, branch: str) -> dict[str, Text]:
    """Properties of Trino's Iceberg connector: https://trino.io/docs/current/object-storage/metastores.html"""
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "nessie",
        "iceberg.nessie-catalog.uri": f"{at.internal}{API}",
        "iceberg.nessie-catalog.ref": branch,
        "iceberg.nessie-catalog.default-warehouse-dir": at.location,
        **(_bearer(token_of("trino")) if at.secure else {}),
        **at.store.for_trino(s3_switch),
    }


def _bearer(token: Secret) -> dict[str, Text]:
    key = "iceberg.nessie-catalog.authentication"
    return {f"{key}.type": "BEARER", f"{key}.token": token}


def for_pyiceberg(at: CatalogEndpoint) -> dict[str, Text]:
    """Settings of PyIceberg, which has no Nessie client."""
    return {
        "type": "rest",
        "uri": at.uri,
        "warehouse": at.warehouse,
        **({"token": own} if (own := token(at)) else {}),
        **at.store.for_pyiceberg(),
        # The client's own keys are used; the store has no STS to vend others.
        "header.X-Iceberg-Access-Delegation": "",
    }


def addresses(at: CatalogEndpoint) -> tuple[CatalogAddress, ...]:
    """The addresses of the server for users."""
    name = f"catalog `{at.name}`"
    return (
        CatalogAddress(REST, f"Iceberg REST ({at.name})", f"{name} for PyIceberg and others: warehouse={at.warehouse}"),
        CatalogAddress(API, f"Nessie API ({at.name})", f"{name} for Spark, Trino and Nessie's own clients"),
    )


def former(state: Path) -> Iterator[tuple[str, str]]:
    """The catalogs of the servers whose configuration is in the state folder, and their locations."""
    for path in state.glob(f"services/{WORD}*/config/application.properties"):
        try:
            yield from _WAREHOUSE.findall(path.read_text())
        except (OSError, UnicodeDecodeError):
            continue


_WAREHOUSE = re.compile(r"^nessie\.catalog\.warehouses\.([^=]+)\.location=(.*)$", re.MULTILINE)
_KEPT = "Remove it; `lakehouse maintain` removes files that nothing needs"
NESSIE = CatalogKind(
    word=WORD,
    label="Nessie",
    on=("process", "docker", "hosts"),
    listeners=(
        Listener(WORD, 19120, 19120, "catalog's branches, tags and history in a browser"),
        Listener(MANAGEMENT, 19000, 9000),
    ),
    # 0.99 accepts no tables of format version 3.
    volatile="nessie.",
    can=Limits(
        "Nessie",
        format_version=2,
        references=True,
        views=True,  # for Spark; Trino's Nessie catalog has none
        renames=True,
        multi_table_commits=True,  # by its own API
        history=False,
    ),
    limits=(
        Limit(
            Feature.NESTED,
            refused=False,
            rule='Trino does not see the tables of a nested namespace ("{}") in this kind of catalog; Spark does',
            fix="Use a namespace of one level for tables that Trino must read",
            engine="trino",
        ),
        Limit(
            Feature.VIEW,
            refused=True,
            rule='Trino reads no views in this kind of catalog ("{}")',
            fix="Give the view only the SQL of Spark: `sql: {spark: ...}`",
            engine="trino",
        ),
        Limit(
            Feature.DELETED_BESIDE,
            refused=True,
            rule="engines would delete metadata files ({}) that the catalog's branches and tags need to be read",
            fix=_KEPT,
            engine="maintain",
        ),
        Limit(
            Feature.DELETED,
            refused=False,
            rule="engines delete metadata files ({}), and a branch or tag that is created later cannot be read",
            fix=_KEPT,
            engine="maintain",
        ),
    ),
    further=Further(
        "application.properties",
        key=r"(nessie|quarkus)\.[\w.\"*-]+",
        example="nessie.version.store.persist.cache-capacity-mb: 64",
        owned={
            "quarkus.http.host": "the runtime",
            "quarkus.http.port": "`ports` of the stack",
            "quarkus.management.host": "the runtime",
            "quarkus.management.port": "`ports` of the stack",
            "nessie.version.store.type": "the lakehouse: versions are in its data folder",
            "nessie.version.store.persist.rocks.*": "the lakehouse: versions are in its data folder",
            "nessie.catalog.default-warehouse": "`catalogs`",
            "nessie.catalog.warehouses.*": "`catalogs`",
            "nessie.catalog.service.s3.default-options.*": "`store`",
            "nessie.catalog.object-stores.health-check.enabled": "the lakehouse: buckets are created afterwards",
        },
        forbidden={"${": "an expression"},
    ),
    secured=(
        *quarkus.SECURED,
        *("quarkus.management.*", "nessie.server.authentication.*", "nessie.server.authorization.*"),
    ),
    services=server,
    asking=Asking(
        Enforcement(
            "grants on names and metadata of namespaces, tables and views, by each principal's token",
            "filters and masks: a table with them is closed; files, for which it gives no keys. Who may write to a "
            "table may change its columns, show by it the metadata of any other table of the catalog (in engines also "
            "the rows), and make the list of the catalog's names unreadable",
        ),
        Opening(
            "one of its principals may also write to another table of the catalog, and Nessie lets it give that table "
            "the metadata of any other, which engines then read by the wrong name",
            "let none of its principals write in the catalog",
        ),
    ),
    token=token,
    rules=lambda lakehouse, catalog: nessie_rules(lakehouse, catalog, OWNERS),
    unsecured=None,
    for_spark=for_spark,
    for_trino=for_trino,
    for_pyiceberg=for_pyiceberg,
    rest=REST,
    api=API,
    addresses=addresses,
    former=former,
    trino_views=False,
)
