"""Where a service's things are when it runs as a process of this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lakehouse.packages import java, location
from lakehouse.runtimes.process.state import State

LOOPBACK = "127.0.0.1"
_SECRET = re.compile(r"\{\{secret:([a-z0-9-]+)\}\}")


@dataclass(frozen=True)
class ProcessPlace:
    """A :class:`lakehouse.services.service.Place`: everything listens on the loopback address, internal is external."""

    state: State
    ports: Mapping[str, int]

    def package(self, name: str) -> str:
        return str(location(name))

    def java(self, feature: int) -> str:
        return str(java(feature))

    def config(self, service: str) -> str:
        return str(self.state.config(service))

    def data(self, service: str) -> str:
        return str(self.state.data(service))

    def host(self, service: str) -> str:
        return LOOPBACK

    def bind(self) -> str:
        return LOOPBACK

    def port(self, name: str) -> int:
        return self.ports[name]

    def secret(self, name: str) -> str:
        return f"{{{{secret:{name}}}}}"


def with_secrets(text: str, secret: Callable[[str], str]) -> str:
    """The text with each ``{{secret:NAME}}`` replaced by what ``secret(NAME)`` answers."""
    return _SECRET.sub(lambda match: secret(match[1]), text)
