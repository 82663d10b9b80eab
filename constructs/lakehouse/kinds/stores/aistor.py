"""AIStor, MinIO's licensed successor, in a container. https://docs.min.io/enterprise/aistor-object-store/"""

from __future__ import annotations

from lakehouse.kinds.store import StoreKind
from lakehouse.kinds.stores.minio import FURTHER, listeners, server
from lakehouse.services.service import File, Place, Service
from lakehouse.spec import LocalStack
from lakehouse.spec.kinds import Capabilities, Opening, Unsecured

NAME = "aistor"
_TABLES = "/_iceberg"  # on the port of its S3 API
IMAGE = "aistor-2026-06-06"
_LICENSE = "minio.license"


def aistor(place: Place, stack: LocalStack) -> Service:
    """The store. Clients see no difference from MinIO. The key ``license`` of the stack names its licence."""
    assert stack.license is not None  # lakehouse.spec.stores checks it
    return server(
        place,
        stack,
        NAME,
        IMAGE,
        options=("--license", f"{place.config(NAME)}/{_LICENSE}"),
        files=(File(_LICENSE, place.beside(stack.license)),),
    )


def tables(place: Place) -> tuple[str, str]:
    """The addresses of its Iceberg REST endpoint: https://docs.min.io/aistor/administration/aistor-tables/"""
    return f"http://{place.host(NAME)}:{place.port(NAME)}{_TABLES}", f"http://{place.external(NAME)}{_TABLES}"


AISTOR = StoreKind(
    word=NAME,
    label="AIStor",
    unsecured=Unsecured("it was never started here, so what its TLS is worth is not known"),
    on=("docker",),  # its server comes only as an image
    can=Capabilities(sts=True, policies=True, versioning=True, lifecycle=True, conditional_writes=True),
    users="minio",
    opening=Opening(
        "AIStor was never started here, so what its tables do for a principal's own key is not known",
        "write `store: seaweedfs`",
    ),
    license=True,
    listeners=listeners(NAME),
    further=FURTHER,
    service=aistor,
    tables=tables,
    warehouses="/v1/warehouses",
)
