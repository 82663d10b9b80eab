"""Where a lakehouse answers, and what answers there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lakehouse.kinds.compose import Endpoints
from lakehouse.services.service import Address, Place, Service

# What a port is for, where its label is not enough; by the beginning of its name.
_MEANING = {
    **dict.fromkeys(("s3proxy", "minio", "rustfs", "aistor"), "object store, S3 API"),
    **dict.fromkeys(("minio-console", "rustfs-console", "aistor-console"), "the object store in a browser"),
    "nessie": "catalog's branches, tags and history in a browser",
    "spark-master": "where batch jobs are submitted",
    "spark-master-ui": "workers and applications of the cluster",
    "spark-connect": "PySpark clients: SparkSession.builder.remote(...)",
    "spark-connect-ui": "jobs, stages and SQL of Spark Connect",
    "spark-worker": "executors and their logs",
    "trino": "queries and the state of Trino; clients and JDBC connect here too",
}


@dataclass(frozen=True)
class ServiceEndpoint:
    """An address: ``external`` for a person and the bootstrap, ``internal`` for the other services."""

    service: str
    name: str
    meaning: str
    external: str
    internal: str


def of_service(service: Service, place: Place) -> Iterator[ServiceEndpoint]:
    """The addresses of a service that are of use to a person."""
    for port in service.ports:
        if port.label or port.name in _MEANING:
            external = place.external(port.name).url(port.scheme, port.path)
            internal = Address(place.host(service.name), port.number).url(port.scheme, port.path)
            yield ServiceEndpoint(service.name, port.label or port.name, _meaning(port.name), external, internal)


def of_stack(services: Iterable[Service], place: Place, at: Endpoints) -> list[ServiceEndpoint]:
    """Every address of a stack: those of its services, then those of its catalogs."""
    found = [endpoint for service in services for endpoint in of_service(service, place)]
    for each in at.catalogs:
        for path, name, meaning in (
            ("iceberg", "Iceberg REST", f"catalog `{each.name}` for PyIceberg and others: warehouse={each.warehouse}"),
            ("api/v2", "Nessie API", f"catalog `{each.name}` for Spark, Trino and Nessie's own clients"),
        ):
            external, internal = f"{each.external}/{path}", f"{each.internal}/{path}"
            found.append(ServiceEndpoint(each.service, f"{name} ({each.name})", meaning, external, internal))
    return found


def _meaning(name: str) -> str:
    if name in _MEANING:
        return _MEANING[name]
    return next((text for start, text in _MEANING.items() if name.startswith(f"{start}-")), "")
