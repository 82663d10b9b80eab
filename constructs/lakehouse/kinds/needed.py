"""The packages that a lakehouse needs, found by building its services for a place that records their requests."""

from __future__ import annotations

from dataclasses import dataclass, field

from lakehouse.kinds.compose import services
from lakehouse.services.service import Address, BehindProxy, Service, Toolkit
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.text.placeholders import Content, Secret


@dataclass(frozen=True)
class Needed:
    """Names of packages, and Java feature versions, each once and in the order of the requests."""

    packages: tuple[str, ...]
    javas: tuple[int, ...]


@dataclass(frozen=True)
class _Notes:
    """A :class:`lakehouse.services.service.Place` that records the requests to it."""

    secure: bool = False
    drains: bool = False
    packages: dict[str, None] = field(default_factory=dict)
    javas: dict[int, None] = field(default_factory=dict)

    @property
    def outside(self) -> _Notes:
        return self

    @property
    def trust(self) -> str:
        return ""

    def package(self, name: str) -> str:
        self.packages[name] = None
        return name

    def java(self, feature: int) -> str:
        self.javas[feature] = None
        return "java"

    def toolkit(self) -> Toolkit:
        return Toolkit("python")

    def config(self, service: str) -> str:
        return service

    def data(self, service: str) -> str:
        return service

    def host(self, service: str) -> str:
        return service

    def bind(self) -> str:
        return ""

    def behind(self, service: str) -> BehindProxy:
        return BehindProxy("", "", "")

    def port(self, name: str) -> int:
        return 0

    def external(self, port: str) -> Address:
        return Address("", 0)

    def called(self, port: str) -> Address:
        return Address("", 0)

    def secret(self, name: str) -> Secret:
        return Secret(name)

    def beside(self, path: str, *, public: bool = False) -> Content:
        return Content(path, public)

    def named(self, path: str) -> str:
        return path


def unplaced(lakehouse: Lakehouse, stack: LocalStack) -> tuple[Service, ...]:
    """The services of a stack, built for a place that does not exist: for questions that need no place."""
    return services(lakehouse, stack, _Notes(stack.secure is not None))


def needed(lakehouse: Lakehouse) -> Needed:
    """The packages and Java versions that the lakehouse's services on this machine and its command line need."""
    asked = _Notes()
    here = [stack for stack in lakehouse.stacks.values() if isinstance(stack, LocalStack)]
    for stack in here:
        for service in unplaced(lakehouse, stack):
            _ask(asked, service, in_container=stack.runtime == "docker")
    if here and lakehouse.engines.trino is not None:  # in AWS the shell is Athena's
        asked.package(f"trino-cli-{lakehouse.engines.trino.version}")
    return Needed(tuple(asked.packages), tuple(asked.javas))


def images(lakehouse: Lakehouse) -> tuple[str, ...]:
    """The images of the lakehouse's stacks on Docker, each once; of all its local stacks if none is on Docker."""
    here = [stack for stack in lakehouse.stacks.values() if isinstance(stack, LocalStack)]
    chosen = [stack for stack in here if stack.runtime == "docker"] or here
    found = (each.image for stack in chosen for each in unplaced(lakehouse, stack))
    return tuple(dict.fromkeys(filter(None, found)))


def _ask(asked: _Notes, service: Service, *, in_container: bool) -> None:
    """Request what the service needs on this machine. Its image has Java and the package after which it is named."""
    for name in service.packages:
        if not (in_container and name == service.image):
            asked.package(name)
    # The shell of `lakehouse shell trino` runs on this machine, even if Trino runs elsewhere.
    if service.java is not None and (not in_container or service.name == "trino"):
        asked.java(service.java)
