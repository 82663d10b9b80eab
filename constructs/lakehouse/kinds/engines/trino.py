"""Trino: one server, or a coordinator and workers. https://trino.io/docs/current/installation/deployment.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from lakehouse.access.trino import catalog_of, catalog_settings
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engine import EngineKind
from lakehouse.kinds.engines import trino_lineage, trino_password, trino_work, trino_worker
from lakehouse.kinds.engines import trino_rules as releases
from lakehouse.kinds.engines.trino_node import COORDINATOR, TrinoNode
from lakehouse.kinds.platform.lineage import Receiver
from lakehouse.services.certificate import Certificate
from lakehouse.services.service import File, Place, Port, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.kinds import Enforcement, Feature, Further, Limit, Listener
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties

NAME = COORDINATOR
_SECURE = "queries and the state of Trino; clients and JDBC (`lakehouse endpoints --for trino` says how to log in)"
# What it gives without a login.
_ANYTHING = "rows of all tables, and changes of them, by any name as the user"
_LITTLE = "its version, whether it is up, its memory and load, and the page to log in"

JAVA = 25  # it needs 24 or newer; class archives are best on the newest


def services(
    place: Place, lakehouse: Lakehouse, catalogs: Sequence[CatalogEndpoint], lineage: Receiver | None = None
) -> tuple[Service, ...]:
    """The server, or the coordinator and its workers; empty if the file has no Trino."""
    engine = lakehouse.engines.trino
    if engine is None:
        return ()
    release = releases.RELEASES[engine.version]
    node = TrinoNode(
        place,
        NAME,
        engine,
        java=max(JAVA, release.java),
        environment="lakehouse",
        store=catalogs[0].store,  # all have the stack's store
        lineage=lineage,
    )
    coordinator = trino(
        node,
        s3_switch=release.s3_switch,
        catalogs=catalogs,
        further=engine.catalogs,
        rules=trino_password.first_rules(lakehouse) if engine.authentication else None,
        more={each.name: catalog_settings(lakehouse, each.name) for each in catalogs if engine.authentication},
        workers=engine.workers > 0,
    )
    return (coordinator, *(trino_worker.worker(node, number) for number in range(1, engine.workers + 1)))


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
    node: TrinoNode,
    *,
    s3_switch: str,
    catalogs: Sequence[CatalogEndpoint],
    further: Mapping[str, Mapping[str, str]],
    rules: Mapping[str, Any] | None = None,
    more: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    workers: bool = False,
) -> Service:
    """Trino with a catalog for each catalog and branch of the file, the ``further`` catalogs, and dynamic ones.

    One with ``rules``, which say who may do what at first, has TLS and asks for passwords. ``more`` are properties of a
    catalog and its branches. One with ``workers`` only coordinates.
    """
    place = node.place
    reached: dict[str, Text] = {"http-server.http.port": str(node.port), "discovery.uri": node.coordinator}
    if workers:
        reached |= trino_password.INTERNAL
    own: dict[str, Text] = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "false" if workers else "true",
        **(trino_password.settings(node.etc, node.coordinator, node.port) if node.secure else reached),
    }
    listener = trino_lineage.files(place, node.lineage) if node.lineage else ()
    if listener:
        own |= trino_lineage.settings(node.etc)
    static = of_catalogs(catalogs, s3_switch, more)
    files = [
        node.config(own),
        *listener,
        *(File(f"catalog/{name}.properties", properties(each)) for name, each in {**further, **static}.items()),
        *trino_work.groups(node.engine, node.etc),
    ]
    listening = Port(NAME, node.port, label="Trino", path="/ui/", gives=_ANYTHING)
    if rules is None:
        return node.service(files, listening)
    certificate = Certificate.of(NAME, place.host(NAME), [place.external(NAME)])
    closed = replace(listening, meaning=_SECURE, gives=_LITTLE)
    return node.service(files, closed, trino_password.files(node.etc, certificate, rules))


TRINO = EngineKind(
    word=NAME,
    label="Trino",
    listeners=(
        Listener(
            NAME, 8085, 8080, "queries and the state of Trino (log in with any name, no password); clients and JDBC"
        ),
        Listener(trino_worker.NAME, 8285, 8080, each="workers"),
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
            "coordinator": "`workers` of the engine",
            "node-scheduler.include-coordinator": "`workers` of the engine",
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
    emits=trino_lineage.OWN,
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
