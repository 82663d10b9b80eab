"""Trino: the query engine, one node that coordinates and works. https://trino.io/docs/current/installation/deployment.html"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lakehouse.kinds.catalog import CatalogEndpoint, for_trino
from lakehouse.services import jvm
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.spec.limits import trino_catalog
from lakehouse.text.properties import properties

NAME = "trino"

# Bootstrap prints the whole configuration at each start; Iceberg tells of each query.
_QUIET = ("io.trino", "io.airlift", "org.apache.iceberg", "Bootstrap")


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
) -> Service:
    """Trino with a catalog for each one of the file and each branch of it, the ``further`` ones, and dynamic ones."""
    package, port = f"trino-{version}", place.port(NAME)
    home, etc, data = place.package(package), place.config(NAME), place.data(NAME)
    config = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "http-server.http.port": str(port),
        "discovery.uri": f"http://{place.host(NAME)}:{port}",
        # CREATE CATALOG works, and what it creates is kept as a file beside the static ones.
        "catalog.management": "dynamic",
        "plugin.dir": f"{home}/plugin",
        "node.environment": environment,
        "node.id": NAME,
        "node.bind-ip": place.bind(),
        "node.internal-address": place.host(NAME),
        "query.max-memory-per-node": f"{heap_mb * 4 // 10}MB",
        "memory.heap-headroom-per-node": f"{heap_mb * 3 // 10}MB",
    }
    static = {catalog.name: for_trino(catalog, s3_switch) for catalog in catalogs}
    for catalog in catalogs:
        for branch in catalog.branches:
            static[trino_catalog(catalog.name, branch)] = for_trino(catalog, s3_switch, branch)
    files = [
        File("config.properties", properties(config)),
        File("log.properties", properties(dict.fromkeys(_QUIET, "WARN"))),
        *(File(f"catalog/{name}.properties", properties(each)) for name, each in {**further, **static}.items()),
    ]
    return Service(
        name=NAME,
        image=package,
        packages=(package,),
        java=java,
        command=(
            place.java(java),
            *(jvm.heap(heap_mb), *jvm.FRUGAL, "-XX:+ExitOnOutOfMemoryError"),
            *("-Djdk.attach.allowAttachSelf=true", f"-Dconfig={etc}/config.properties"),
            *(f"-Dlog.levels-file={etc}/log.properties", f"-Dcatalog.config-dir={etc}/catalog"),
            *("-cp", f"{home}/lib/*", "io.trino.server.TrinoServer"),
        ),
        environment=jvm.ENVIRONMENT,
        files=tuple(files),
        data=(data,),
        ports=(Port(NAME, port, label="Trino", path="/ui/"),),
        probe=Probe("http", port, "/v1/info", expect='"starting":false'),
        memory_mb=heap_mb + 400,
        needs=(),
    )
