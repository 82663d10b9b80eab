"""AIStor, MinIO's licensed successor, in a container. https://docs.min.io/enterprise/aistor-object-store/"""

from __future__ import annotations

from lakehouse.kinds.stores.minio import server
from lakehouse.services.service import File, Place, Service

NAME = "aistor"
IMAGE = "aistor-2026-06-06"
_LICENSE = "minio.license"


def aistor(place: Place, license_file: str) -> Service:
    """The same server as MinIO to its clients; ``license_file`` is what the stack names under ``license``."""
    return server(
        place,
        NAME,
        IMAGE,
        options=("--license", f"{place.config(NAME)}/{_LICENSE}"),
        files=(File(_LICENSE, place.beside(license_file)),),
    )
