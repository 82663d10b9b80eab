"""MinIO on one drive, with its console. https://docs.min.io/community/minio-object-store/reference/minio-server.html"""

from __future__ import annotations

from lakehouse.services.service import File, Place, Port, Probe, Service
from lakehouse.text.placeholders import joined

NAME = "minio"
PACKAGE = "minio-2025-09-07"
_KEYS = "minio.env"


def minio(place: Place) -> Service:
    """The store with versions, lifecycle rules, policies, users and STS."""
    return server(place, NAME, PACKAGE)


def server(
    place: Place, name: str, package: str, *, options: tuple[str, ...] = (), files: tuple[File, ...] = ()
) -> Service:
    """The command line that MinIO and AIStor share.

    The keys are in a file that the server reads by itself: its own environment names that file, and holds no key.
    """
    port, console = place.port(name), place.port(f"{name}-console")
    keys = {
        "MINIO_ROOT_USER": place.secret("store-access-key"),
        "MINIO_ROOT_PASSWORD": place.secret("store-secret-key"),
    }
    return Service(
        name=name,
        image=package,
        packages=(package,),
        command=(
            *(place.package(package), "server", "--quiet", *options),
            *("--address", f"{place.bind()}:{port}", "--console-address", f"{place.bind()}:{console}"),
            place.data(name),
        ),
        files=(File(_KEYS, joined([part for key, value in keys.items() for part in (f"{key}=", value, "\n")])), *files),
        environment=(
            ("MINIO_CONFIG_ENV_FILE", f"{place.config(name)}/{_KEYS}"),
            ("MINIO_UPDATE", "off"),  # nothing is fetched behind the user's back
            ("GOMEMLIMIT", "400MiB"),
        ),
        data=(place.data(name),),
        ports=(Port(name, port, label="S3 endpoint"), Port(f"{name}-console", console, label="Console of the store")),
        probe=Probe("http", port, "/minio/health/ready"),
        reading=(),
        memory_mb=512,
    )
