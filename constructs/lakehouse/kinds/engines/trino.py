"""Trino: one node, coordinator and worker. https://trino.io/docs/current/installation/deployment.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from lakehouse.access.trino import catalog_of, catalog_settings
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engine import EngineKind
from lakehouse.kinds.engines import trino_password
from lakehouse.kinds.engines import trino_rules as releases
from lakehouse.services import jvm
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File, Numbers, Place, Port, Probe, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Enforcement, Feature, Further, Limit, Listener
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

NAME = "trino"

# Bootstrap prints the whole configuration at each start; Iceberg logs each query.
_QUIET = ("io.trino", "io.airlift", "org.apache.iceberg", "Bootstrap")

_READY = '"starting":false'
_SECURE = "queries and the state of Trino; clients and JDBC (`lakehouse endpoints --for trino` says how to log in)"
# What it gives without a login.
_ANYTHING = "rows of all tables, and changes of them, by any name as the user"
_NUMBERS = Numbers("/metrics", user=releases.OWNER)
_WITH_PASSWORD = replace(_NUMBERS, password=trino_password.PASSWORD)
_LITTLE = "its version, whether it is up, its memory and load, and the page to log in"

JAVA = 25  # it needs 24 or newer; class archives are best on the newest


def services(place: Place, lakehouse: Lakehouse, catalogs: Sequence[CatalogEndpoint]) -> tuple[Service, ...]:
    """The server; empty if the file has no Trino."""
    engine = lakehouse.engines.trino
    if engine is None:
        return ()
    release = releases.RELEASES[engine.version]
    service = trino(
        place,
        version=engine.version,
        java=max(JAVA, release.java),
        heap_mb=engine.memory.mb,
        s3_switch=release.s3_switch,
        environment="lakehouse",
        catalogs=catalogs,
        further=engine.catalogs,
        settings=engine.properties,
        rules=trino_password.first_rules(lakehouse) if engine.authentication else None,
        more={each.name: catalog_settings(lakehouse, each.name) for each in catalogs if engine.authentication},
    )
    return (service,)


def of_catalogs(
    catalogs: Sequence[CatalogEndpoint], s3_switch: str, more: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> dict[str, Mapping[str, Text]]:
    """The properties of each catalog and branch, by their names in Trino; ``more`` are by the catalog's name."""
    found: dict[str, Mapping[str, Text]] = {}
    for each in catalogs:
        own = more.get(each.name, {})
        found[each.name] = {**each.kind.for_trino(each, s3_switch, "main"), **own}
        for branch in each.branches:
            found[catalog_of(each.name, branch)] = {**each.kind.for_trino(each, s3_switch, branch), **own}
    return found


def trino(
    place: Place,
    *,
    version: str,
    java: int,
    heap_mb: int,
    s3_switch: str,
    environment: str,
    catalogs: Sequence[CatalogEndpoint],
    further: Mapping[str, Mapping[str, str]],
    settings: Mapping[str, str],
    rules: Mapping[str, Any] | None = None,
    more: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Service:
    """Trino with a catalog for each catalog and branch of the file, the ``further`` catalogs, and dynamic ones.

    One with ``rules``, which say who may do what at first, has TLS and asks for passwords. ``more`` are properties of a
    catalog and its branches.
    """
    secure = rules is not None
    package, port = f"trino-{'password-' if secure else ''}{version}", place.port(NAME)
    home, etc, data = place.package(package), place.config(NAME), place.data(NAME)
    reached: dict[str, Text] = {
        "http-server.http.port": str(port),
        "discovery.uri": f"http://{place.host(NAME)}:{port}",
    }
    config: dict[str, Text] = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        **(trino_password.settings(etc, place.host(NAME), port) if secure else reached),
        # CREATE CATALOG works, and the catalogs that it creates are kept as files beside the static ones.
        "catalog.management": "dynamic",
        "plugin.dir": f"{home}/plugin",
        "node.environment": environment,
        "node.id": NAME,
        "node.bind-ip": place.bind(),
        "node.internal-address": place.host(NAME),
        "query.max-memory-per-node": f"{heap_mb * 4 // 10}MB",
        "memory.heap-headroom-per-node": f"{heap_mb * 3 // 10}MB",
        **settings,
    }
    static = of_catalogs(catalogs, s3_switch, more)
    files = [
        File("config.properties", properties(config)),
        File("log.properties", properties(dict.fromkeys(_QUIET, "WARN"))),
        *(File(f"catalog/{name}.properties", properties(each)) for name, each in {**further, **static}.items()),
    ]
    trusting, trusted = jvm.trust(place, NAME)
    files += trusted
    listening = Port(NAME, port, label="Trino", path="/ui/", gives=_ANYTHING, numbers=(_NUMBERS,))
    probe = Probe("http", port, "/v1/info", expect=_READY)
    if rules is not None:
        files += trino_password.files(etc, Certificate.of(NAME, place.host(NAME), [place.external(NAME)]), rules)
        listening = replace(
            listening,
            scheme="https",
            meaning=_SECURE,
            gives=_LITTLE,
            numbers=(_WITH_PASSWORD,),
        )
        probe = replace(probe, kind="https", trust=trino_password.AUTHORITY)
    return Service(
        name=NAME,
        image=f"trino-{version}",
        packages=(package,),
        java=java,
        command=(
            place.java(java),
            *(jvm.heap(heap_mb), *jvm.FRUGAL, *trusting, "-XX:+ExitOnOutOfMemoryError"),
            # It measures objects by an agent in itself. The second option: it does not also start three JVMs, one after
            # the other, that read its memory, for addresses of objects which it never asks for.
            *("-Djdk.attach.allowAttachSelf=true", "-Djol.skipHotspotSAAttach=true"),
            *(f"-Dconfig={etc}/config.properties", f"-Dlog.levels-file={etc}/log.properties"),
            *(f"-Dcatalog.config-dir={etc}/catalog", "-cp", f"{home}/lib/*", "io.trino.server.TrinoServer"),
        ),
        environment=jvm.ENVIRONMENT,
        files=tuple(files),
        data=(data,),
        ports=(listening,),
        probe=probe,
        memory_mb=heap_mb + 400,
        renewal="itself",
        needs=(),
    )


TRINO = EngineKind(
    word=NAME,
    label="Trino",
    listeners=(
        Listener(
            NAME, 8085, 8080, "queries and the state of Trino (log in with any name, no password); clients and JDBC"
        ),
    ),
    limits=(
        Limit(
            Feature.FORMAT_3,
            refused=True,
            rule="Trino 476 shows NULL for defaults of Iceberg's format 3, and cannot read its deletion vectors",
            fix="Write 2, or remove `trino` from `engines`",
        ),
        Limit(
            Feature.INFORMATION,
            refused=True,
            rule='Trino shows its own views as "{}", and cannot read tables there',
            fix="Choose another name",
        ),
        Limit(
            Feature.ICEBERG_TABLES,
            refused=True,
            rule='Trino shows its own table as "{}", and cannot read another',
            fix="Choose another name",
        ),
        Limit(
            Feature.SYSTEM,
            refused=False,
            rule='"{}" also contains procedures of Trino and Spark, and a table of Trino, next to its own tables',
            fix="Another name is clearer",
        ),
        Limit(
            Feature.FIXED,
            refused=True,
            rule='Trino cannot read a table that is partitioned by "{}", of type fixed',
            fix="Use binary, or bucket(n, ...)",
        ),
        Limit(
            Feature.PROVIDER,
            refused=True,
            rule="Trino cannot write a table with the location provider {}",
            fix="Remove it; `write.data.path` and `write.object-storage.enabled` work in every engine",
        ),
    ),
    further=Further(
        "config.properties",
        key=r"[a-z][\w.-]+",
        example="query.max-run-time: 1h",
        owned={
            "coordinator": "the lakehouse: one server coordinates and works",
            "node-scheduler.include-coordinator": "the lakehouse: one server coordinates and works",
            "http-server.http.port": "`ports` of the stack",
            "discovery.uri": "`ports` of the stack",
            "catalog.*": "`catalogs`, and the lakehouse: its catalogs are files",
            "plugin.*": "the lakehouse: it is the folder of the installed plugins",
            "node.*": "the runtime",
            "query.max-memory-per-node": "`memory` of the engine",
            "memory.heap-headroom-per-node": "`memory` of the engine",
        },
        forbidden={"${": "an expression"},
    ),
    unsecured=None,
    secured=("jmx.*",),  # ports without TLS or a login. The others are set by `authentication`, which `secure` asks for
    versions=releases.RELEASES,
    check=releases.check,
    hidden=releases.same_names,
    narrows=True,
    guard=Enforcement(
        "grants, filters and masks, for users that log in",
        "what a query shows of its work: rows read, and errors of its expressions",
    ),
    openings=releases.openings,
    catalogs=releases.CATALOGS,
    services=services,
)
