"""The place of services that run in containers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lakehouse.packages import location
from lakehouse.runtimes.docker.containers import MACHINE
from lakehouse.runtimes.docker.images import IMAGES
from lakehouse.runtimes.process.place import ProcessPlace
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Address, BehindProxy, Toolkit
from lakehouse.spec.kinds import Listener
from lakehouse.text.placeholders import Content, Secret

ANY = "0.0.0.0"  # noqa: S104 - in the container; on this machine, ports are published only on the loopback address


_DOCKER = ("DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_CONFIG")  # which Docker it is


class Beside(ProcessPlace):
    """The place of what runs beside the containers. A module of the toolkit finds the Docker of the deploy."""

    def toolkit(self) -> Toolkit:
        found = super().toolkit()
        passed = tuple((name, os.environ[name]) for name in _DOCKER if name in os.environ)
        return replace(found, environment=(*found.environment, *passed))


@dataclass(frozen=True)
class DockerPlace:
    """A :class:`lakehouse.services.service.Place`: containers of one network, which find each other by name."""

    listeners: Mapping[str, Listener]  # the stack's ports by name
    home: Path  # the folder of lakehouse.yaml
    trust: str = ""  # as in the protocol; empty: the stack is not secure
    state: State = field(default_factory=lambda: State(Path()))  # for what runs outside of containers

    def package(self, name: str) -> str:
        for image in IMAGES.values():
            if name in image.packages:
                return image.packages[name]
        return f"/opt/lakehouse/{location(name).name}"  # mounted from the cache

    def java(self, feature: int) -> str:
        return "java"  # each image has the Java for its program on PATH

    def toolkit(self) -> Toolkit:
        raise AssertionError("no image has this toolkit")  # what needs it runs outside

    def config(self, service: str) -> str:
        return f"/etc/{service}"

    def data(self, service: str) -> str:
        return f"/data/{service}"

    def host(self, service: str) -> str:
        return service

    def bind(self) -> str:
        return ANY

    def behind(self, service: str) -> BehindProxy:
        return BehindProxy("proxy", ANY, service)

    def port(self, name: str) -> int:
        return self.listeners[name].inside

    def external(self, port: str) -> Address:
        return Address(LOOPBACK, self.listeners[port].number)

    def called(self, port: str) -> Address:
        return Address(MACHINE, self.listeners[port].number)

    def secret(self, name: str) -> Secret:
        return Secret(name)

    def beside(self, path: str, *, public: bool = False) -> Content:
        return Content(str(self.home / path), public)

    def named(self, path: str) -> str:
        return str((self.home / path).absolute())

    @property
    def outside(self) -> ProcessPlace:
        numbers = {name: each.number for name, each in self.listeners.items()}
        return Beside(self.state, numbers, self.home, self.trust)

    @property
    def secure(self) -> bool:
        return bool(self.trust)

    @property
    def drains(self) -> bool:
        return False
