"""What a lakehouse asks the catalogue for: found by building its services for a place that takes notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from lakehouse.services.compose import services
from lakehouse.spec import Lakehouse


@dataclass(frozen=True)
class Needed:
    """Names of packages, and Java feature versions, each once and in the order they were asked for."""

    packages: tuple[str, ...]
    javas: tuple[int, ...]


@dataclass(frozen=True)
class _Notes:
    """A :class:`lakehouse.services.service.Place` that is nowhere and writes down what is asked of it."""

    packages: dict[str, None] = field(default_factory=dict)
    javas: dict[int, None] = field(default_factory=dict)

    def package(self, name: str) -> str:
        self.packages[name] = None
        return name

    def java(self, feature: int) -> str:
        self.javas[feature] = None
        return "java"

    def config(self, service: str) -> str:
        return service

    def data(self, service: str) -> str:
        return service

    def host(self, service: str) -> str:
        return service

    def bind(self) -> str:
        return ""

    def port(self, name: str) -> int:
        return 0

    def secret(self, name: str) -> str:
        return name


def needed(lakehouse: Lakehouse) -> Needed:
    """The packages and the Java versions of the lakehouse's services and of its command line."""
    notes = _Notes()
    for service in services(lakehouse, notes):
        for name in service.packages:
            notes.package(name)
        if service.java is not None:
            notes.java(service.java)
    if lakehouse.engines.trino is not None:
        notes.package(f"trino-cli-{lakehouse.engines.trino.version}")
    return Needed(tuple(notes.packages), tuple(notes.javas))
