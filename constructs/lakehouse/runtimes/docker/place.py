"""Where a service's things are when it runs in a container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.packages import location
from lakehouse.runtimes.docker.images import IMAGES
from lakehouse.services.service import LOOPBACK, Address
from lakehouse.text.placeholders import Content, Secret

ANY = "0.0.0.0"  # noqa: S104 - of the container; what this machine sees is published on the loopback address alone

# What a port listens on in a container, where the numbers of this machine do not matter; by the beginning of its name.
_PORTS = {
    "aistor": 9000,
    "aistor-console": 9001,
    "minio": 9000,
    "minio-console": 9001,
    "nessie": 19120,
    "nessie-management": 9000,
    "rustfs": 9000,
    "rustfs-console": 9001,
    "s3proxy": 9000,
    "spark-connect": 15002,
    "spark-connect-ui": 4040,
    "spark-master": 7077,
    "spark-master-ui": 8080,
    "spark-worker": 7079,
    "trino": 8080,
}
_WORKER_UI = 8081


@dataclass(frozen=True)
class DockerPlace:
    """A :class:`lakehouse.services.service.Place`: containers of one network, which know each other by their names."""

    ports: Mapping[str, int]  # those of this machine, by name
    home: Path  # the folder of lakehouse.yaml

    def package(self, name: str) -> str:
        return next(
            (image.packages[name] for image in IMAGES.values() if name in image.packages),
            f"/opt/lakehouse/{location(name).name}",  # mounted from the cache
        )

    def java(self, feature: int) -> str:
        return "java"  # each image has the one that its program wants on PATH

    def config(self, service: str) -> str:
        return f"/etc/{service}"

    def data(self, service: str) -> str:
        return f"/data/{service}"

    def host(self, service: str) -> str:
        return service

    def bind(self) -> str:
        return ANY

    def port(self, name: str) -> int:
        if name.startswith("spark-worker-") and name.endswith("-ui"):
            return _WORKER_UI
        return _PORTS[max((known for known in _PORTS if f"{name}-".startswith(f"{known}-")), key=len)]

    def external(self, port: str) -> Address:
        return Address(LOOPBACK, self.ports[port])

    def secret(self, name: str) -> Secret:
        return Secret(name)

    def beside(self, path: str) -> Content:
        return Content(str(self.home / path))
