"""The catalogue of images: the reference of each, the paths in it, and the user of its processes.

The references are those of the official images, pinned. `make images` (:mod:`offline.images`) builds images from the
packages with the same names and the same layout, so that nothing else knows which of the two runs. The facts about
official images are from their own build files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakehouse.errors import LakehouseError


@dataclass(frozen=True)
class Image:
    """An image. ``packages`` maps packages of the catalogue to their paths in the image."""

    key: str
    reference: str
    user: str  # "uid:gid" of its processes
    reason: str  # why this image, and what could not be verified about it
    packages: Mapping[str, str] = field(default_factory=dict)  # package -> file or folder in the image
    bash: bool = True  # health checks of ports use its /dev/tcp; images without bash have curl, or nc


def _spark(line: str, tag: str, reason: str) -> Image:
    return Image(f"spark-{line}", f"docker.io/apache/spark:{tag}", "185:185", reason, {f"spark-{line}": "/opt/spark"})


_ALL = (
    Image(
        "trino-476",
        "docker.io/trinodb/trino:476",
        "1000:1000",
        "the matrix' release. Its Java is in a folder with the version in its name, so it is found by PATH",
        {"trino-476": "/usr/lib/trino", "trino-cli-476": "/usr/bin/trino"},
    ),
    _spark(
        "4.1",
        "4.1.4-scala2.13-java21-python3-ubuntu",
        "the matrix' release, with Python. Named as 4.1.0 to 4.1.3 are; 4.1.4 was not seen in a registry",
    ),
    _spark(
        "4.0",
        "4.0.5-scala2.13-java21-python3-ubuntu",
        "the matrix' release, with Python. Named as 4.0.0 to 4.0.3 are; 4.0.5 was not seen in a registry",
    ),
    _spark("3.5", "3.5.9-scala2.12-java17-python3-ubuntu", "the matrix' release, with Python, on Java 17"),
    Image(
        "nessie-0.99.0",
        "ghcr.io/projectnessie/nessie:0.99.0",
        "10000:10001",
        "the matrix' release. The official jar reads its classes from the folders beside it, ours contains them",
        {"nessie-0.99.0": "/deployments/quarkus-run.jar"},
    ),
    Image(
        "polaris-1.7.0",
        "docker.io/apache/polaris:1.7.0",
        "10000:10001",
        "the release whose answers the double of the tests gives. No package registry has it: it cannot be built here",
        {"polaris-1.7.0": "/deployments/quarkus-run.jar"},
    ),
    Image(
        "s3proxy-4.1.0",
        "docker.io/andrewgaul/s3proxy:4.1.0",
        "0:0",
        "the package's release. Its build names a tag by the release's number; 4.1.0 itself was not seen in a registry",
        {"s3proxy-4.1.0": "/opt/s3proxy/s3proxy"},
    ),
    Image(
        "minio-2025-09-07",
        "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
        "0:0",
        "the last release that was published as an image; it left Docker Hub",
        {"minio-2025-09-07": "/usr/bin/minio"},
    ),
    Image(
        "rustfs-1.0.1",
        "docker.io/rustfs/rustfs:1.0.1",
        "10001:10001",
        "the newest stable release, built on Alpine",
        {"rustfs-1.0.1": "/usr/bin/rustfs"},
        bash=False,
    ),
    Image(
        "seaweedfs-4.48",
        "docker.io/chrislusf/seaweedfs:4.48",
        "1000:1000",
        "the package's release, built on Alpine, which has no bash; 4.48 itself was not seen in a registry",
        {"seaweedfs-4.48": "/usr/bin"},
        bash=False,
    ),
    Image(
        "aistor-2026-06-06",
        "quay.io/minio/aistor/minio:RELEASE.2026-06-06T02-44-06Z",
        "0:0",
        "MinIO's licensed successor, with the same command line. No source: it cannot be built here, and was not run",
        {"aistor-2026-06-06": "/usr/bin/minio"},
    ),
    Image(
        "postgres-18.4",
        "docker.io/library/postgres:18.4-bookworm",
        "999:999",
        "the package's release, so that a cluster is the same in both forms. 18.4 itself was not seen in a registry",
        # One server for both: the official one has TLS.
        {"postgres-18.4": "/usr/lib/postgresql/18", "postgres-tls-18.4": "/usr/lib/postgresql/18"},
    ),
    Image(
        "caddy-2.11.7",
        "docker.io/library/caddy:2.11.7",
        "65534:65534",
        "the package's release, built on Alpine, which has no bash; 2.11.7 itself was not seen in a registry",
        {"caddy-2.11.7": "/usr/bin"},
        bash=False,
    ),
    *(
        Image(
            f"temurin-{java}",
            f"docker.io/library/eclipse-temurin:{java}-jre",
            "65534:65534",
            "only Java, for servers without an image: their packages are mounted. The tag moves with its releases",
        )
        for java in (21, 25)
    ),
)
IMAGES: Mapping[str, Image] = {image.key: image for image in _ALL}


def image(key: str) -> Image:
    """The image of that key.

    Raises LakehouseError if the catalogue has none.
    """
    try:
        return IMAGES[key]
    except KeyError:
        raise LakehouseError(
            f"image {key!r}: not in the catalogue (constructs/lakehouse/runtimes/docker/images.py), which has: "
            + ", ".join(sorted(IMAGES))
        ) from None
