"""Project Nessie: the catalog with branches, served as Iceberg REST and as its own API.

Configuration reference: https://projectnessie.org/nessie-latest/configuration/
"""

from __future__ import annotations

import os

from lakehouse.kinds.store import StoreEndpoint
from lakehouse.services import jvm
from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.text.placeholders import Text
from lakehouse.text.properties import properties


def nessie(
    place: Place, *, name: str, catalog: str, location: str, store: StoreEndpoint, version: str, java: int
) -> Service:
    """A Nessie server for one catalog; its versions lie in RocksDB, so they outlive the process.

    Nessie's warehouses share one tree of namespaces, so two catalogs need two servers.
    """
    port, management = place.port(name), place.port(name.replace("nessie", "nessie-management", 1))
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
        # Readiness is that of the catalog: its bucket is made afterwards, by the bootstrap.
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
        # Clients sign with their own keys: the store has no STS, and remote signing costs a round trip a request.
        f"{s3}.request-signing-enabled": "false",
        f"{s3}.access-key": "urn:nessie-secret:quarkus:store",
        "store.name": store.access_key,
        "store.secret": store.secret_key,
    }
    package = f"nessie-{version}"
    return Service(
        name=name,
        image=package,
        packages=(package,),
        java=java,
        command=(
            place.java(java),
            *(jvm.heap(256), *jvm.QUICK),
            # quarkus.config.locations cannot name a path with spaces; config/ in the working folder is read anyway.
            *("-jar", place.package(package)),
        ),
        files=(File("config/application.properties", properties(settings)),),
        environment=jvm.ENVIRONMENT,
        data=(place.data(name),),
        ports=(
            Port(name, port, label=f"Nessie ({catalog})", path="/tree/main"),
            Port(name.replace("nessie", "nessie-management", 1), management),
        ),
        probe=Probe("http", management, "/q/health/ready", expect="UP"),
        memory_mb=512,
        needs=(store.service,),
    )
