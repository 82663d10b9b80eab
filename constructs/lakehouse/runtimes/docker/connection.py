"""The connection to Docker, and what it says of itself. https://docker-py.readthedocs.io/"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from docker import DockerClient

OLDEST = (20, 10)  # older versions do not limit memory on every kernel, and are no longer maintained


def numbers(version: str) -> tuple[int, ...]:
    """``28.2.2`` as (28, 2), to compare with :data:`OLDEST`."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


@contextmanager
def errors_reported() -> Iterator[None]:
    """Raise LakehouseError for Docker's errors, also if it does not answer."""
    try:
        yield
    except LakehouseError:
        raise
    except Exception as error:
        # Imported only now: most steps of a deploy need no Docker, and its client costs 0.14 s of processor time.
        from docker.errors import DockerException
        from requests import RequestException

        if not isinstance(error, (DockerException, RequestException)):
            raise
        raise LakehouseError(f"Docker: {getattr(error, 'explanation', None) or error}") from error


def innermost(error: BaseException) -> str:
    """The text of the innermost cause, because the libraries wrap each other's errors. At most 200 characters."""
    cause = error.__cause__ or error
    text = str(cause).replace("\n", " ")
    for sign in ("Permission denied", "No such file or directory", "Connection refused", "Name or service not known"):
        if sign in text:
            return sign[0].lower() + sign[1:]
    return text[:200]


class DockerConnection:
    """The Docker that DOCKER_HOST names, or this machine's. Every call asks Docker; nothing is cached."""

    @cached_property
    def client(self) -> DockerClient:
        """The client. Raises LakehouseError if Docker does not answer."""
        import docker  # takes 0.14 s, only for stacks on Docker
        from docker.errors import DockerException

        try:
            client = docker.from_env(timeout=60)
            client.ping()
        except DockerException as error:
            raise LakehouseError(
                f"Docker does not answer: {innermost(error)}. Install it or start it (`dockerd`), let this user use "
                "its socket, or set DOCKER_HOST; `runtime: process` needs no Docker."
            ) from error
        return client

    def version(self) -> str:
        return str(self.client.version()["Version"])

    def total_memory(self) -> int:
        """MiB of memory for all containers together."""
        return int(self.client.info()["MemTotal"]) >> 20

    def folder(self) -> Path:
        """The folder of Docker's images and volumes, on Docker's machine."""
        return Path(self.client.info()["DockerRootDir"])

    def interface(self) -> str:
        """The interface of this machine whose address containers know as that of the machine. Empty: there is none."""
        from docker.errors import NotFound

        try:
            options = self.client.networks.get("bridge").attrs["Options"] or {}
        except NotFound:
            return ""
        return str(options.get("com.docker.network.bridge.name", ""))
