"""The place of services that run as processes on this machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.packages import java, location
from lakehouse.runtimes.process import surroundings
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Address, BehindProxy, Toolkit
from lakehouse.text.placeholders import Content, Secret


@dataclass(frozen=True)
class ProcessPlace:
    """A :class:`lakehouse.services.service.Place`. All listen on the loopback address, for services and for users."""

    state: State
    ports: Mapping[str, int]
    home: Path = Path()  # the folder of lakehouse.yaml
    trust: str = ""  # as in the protocol; empty: the stack is not secure

    def package(self, name: str) -> str:
        return str(location(name))

    def java(self, feature: int) -> str:
        return str(java(feature))

    def toolkit(self) -> Toolkit:
        return Toolkit(sys.executable, surroundings.toolkit())

    def config(self, service: str) -> str:
        return str(self.state.config(service))

    def data(self, service: str) -> str:
        return str(self.state.data(service))

    def host(self, service: str) -> str:
        return LOOPBACK

    def bind(self) -> str:
        return LOOPBACK

    def behind(self, service: str) -> BehindProxy:
        return BehindProxy("proxy", LOOPBACK, LOOPBACK)

    def port(self, name: str) -> int:
        return self.ports[name]

    def external(self, port: str) -> Address:
        return Address(LOOPBACK, self.ports[port])

    def called(self, port: str) -> Address:
        return Address(LOOPBACK, self.ports[port])

    def secret(self, name: str) -> Secret:
        return Secret(name)

    def beside(self, path: str, *, public: bool = False) -> Content:
        return Content(str(self.home / path), public)

    def named(self, path: str) -> str:
        return str((self.home / path).absolute())

    @property
    def outside(self) -> ProcessPlace:
        return self

    @property
    def secure(self) -> bool:
        return bool(self.trust)

    @property
    def drains(self) -> bool:
        return False
