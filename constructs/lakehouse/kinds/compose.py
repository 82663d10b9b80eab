"""From the file to the services that carry it: which there are, with which versions, in the order of their needs."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.catalogs.nessie import nessie
from lakehouse.kinds.engines.spark import SparkCluster, spark
from lakehouse.kinds.engines.trino import trino
from lakehouse.kinds.store import StoreEndpoint, store
from lakehouse.services.service import Place, Service
from lakehouse.spec import Lakehouse, LocalStack, matrix
from lakehouse.spec.model import Catalog

REGION = "us-east-1"  # what S3 clients sign with; a local store has no regions
NEWEST = 25  # the newest Java that comes as a package: class archives are best there


@dataclass(frozen=True)
class Endpoints:
    """Where the store and the catalogs answer. Catalogs come in the order of the file."""

    store: StoreEndpoint
    catalogs: tuple[CatalogEndpoint, ...]


def endpoints(lakehouse: Lakehouse, stack: LocalStack, place: Place) -> Endpoints:
    """The endpoints that the services of a local stack have at this place."""
    kind = stack.store  # the store's service and its port are named by its kind
    at = StoreEndpoint(
        service=kind,
        internal=f"http://{place.host(kind)}:{place.port(kind)}",
        external=f"http://{place.external(kind)}",
        region=REGION,
        access_key=place.secret("store-access-key"),
        secret_key=place.secret("store-secret-key"),
    )
    return Endpoints(
        at,
        tuple(
            _catalog(place, name, each, at, first=not nth)
            for nth, (name, each) in enumerate(lakehouse.catalogs.items())
        ),
    )


def services(lakehouse: Lakehouse, stack: LocalStack, place: Place) -> tuple[Service, ...]:
    """The services of a local stack; each comes after those that it needs."""
    at = endpoints(lakehouse, stack, place)
    found = [store(stack, place)]
    for each in at.catalogs:
        found.append(
            nessie(
                place,
                name=each.service,
                catalog=each.name,
                location=each.location,
                store=at.store,
                version=matrix.NESSIE.version,
                java=_java(matrix.NESSIE.java),
            )
        )
    if lakehouse.engines.spark is not None:
        found += spark(place, cluster(lakehouse), at.catalogs)
    if lakehouse.engines.trino is not None:
        engine = lakehouse.engines.trino
        line = engine.release
        found.append(
            trino(
                place,
                version=engine.version,
                java=_java(line.java),
                heap_mb=engine.memory.mb,
                s3_switch=line.s3_switch,
                environment="lakehouse",
                catalogs=at.catalogs,
                further=engine.catalogs,
            )
        )
    return tuple(found)


def _catalog(place: Place, name: str, spec: Catalog, store: StoreEndpoint, *, first: bool) -> CatalogEndpoint:
    service = "nessie" if first else f"nessie-{name}"
    return CatalogEndpoint(
        name=name,
        kind="nessie",
        service=service,
        internal=f"http://{place.host(service)}:{place.port(service)}",
        external=f"http://{place.external(service)}",
        warehouse=name,
        location=spec.location,
        store=store,
        branches=tuple(spec.branches),
    )


def _java(least: int) -> int:
    """The Java of a service that runs on every newer one."""
    return max(NEWEST, least)


def cluster(lakehouse: Lakehouse) -> SparkCluster:
    """What the file says of Spark, with the versions that the matrix chose for it."""
    engine = lakehouse.engines.spark
    assert engine is not None
    line = engine.line
    return SparkCluster(
        packages=(
            f"spark-{engine.version}",
            *((f"spark-connect-{engine.version}",) if line.connect else ()),
            f"iceberg-spark-runtime-{engine.version}",
            f"iceberg-aws-bundle-{line.iceberg}",
        ),
        scala=line.scala,
        java=line.java[0],
        workers=engine.workers,
        cores=engine.cores,
        executor_mb=engine.memory.mb,
        driver_mb=engine.driver_memory.mb,
        connect=engine.connect is not None,
        token=engine.connect is not None and engine.connect.token,
        settings=engine.properties,
    )
