"""A Docker that is a double, and a small stack for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from lakehouse.runtimes.docker.containers import Container, ContainerSeen
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.docker.steps import prepare
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.owner import OwnerClaim
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service
from lakehouse.spec import load
from tests.ports import free

FILE = """
name: demo
buckets: {warehouse: {}}
catalogs: {lake: {location: "s3://warehouse/lake"}}
stacks:
  local:
    {runtime: docker, store: s3proxy, catalogs: {lake: nessie}, ports: {s3proxy: %d, nessie: %d, nessie-management: %d}}
"""


@dataclass
class Pretended(DockerEngine):
    """A Docker that has the objects of ``owners``: kind and name -> the state folder that they belong to."""

    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    published: frozenset[int] = frozenset()
    root: Path = Path("/nowhere")
    ids: dict[str, str] = field(default_factory=dict)  # of volumes
    there: dict[str, ContainerSeen] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    @property
    def client(self) -> NoReturn:
        """The real one must not be called: such a test would depend on the machine."""
        raise AssertionError("the real Docker was asked")

    def publisher(self, port: int) -> str | None:
        return "another" if port in self.published else None

    def version(self) -> str:
        return "20.10.24"

    def folder(self) -> Path:
        return self.root

    def owner(self, kind: str, name: str) -> str | None:
        return self.owners.get((kind, name))

    def seen(self, state: State) -> dict[str, ContainerSeen]:
        return self.there

    def id_of(self, volume: str) -> str:
        return self.ids.get(volume, "")

    def remove(self, seen: ContainerSeen, grace: int) -> None:
        self.removed.append(seen.service)

    def total_memory(self) -> int:
        return 24_000

    def image(self, reference: str) -> str:
        return ""

    def has_image(self, reference: str) -> bool:
        return True

    def make_volumes(self, containers: Sequence[Container], labels: Mapping[str, str]) -> None:
        self.made += [each.volume.source for each in containers]


@dataclass
class Stack:
    state: State
    services: tuple[Service, ...]
    containers: tuple[Container, ...]
    claim: OwnerClaim

    def prepare(
        self,
        engine: DockerEngine,
        planned: Mapping[str, Incarnation] | None = None,
        known: frozenset[str] | None = None,
    ) -> None:
        prepare(self.state, self.services, self.containers, engine, self.claim, planned, known)


# A service that has no image.
OUTSIDE = Service("watcher", "", (), ("/bin/sh",), Probe("exec", command=("/bin/true",)))


def with_outside(stack: Stack, *more: Service) -> Stack:
    return replace(stack, services=(*stack.services, *more))


def running(container: Container, start: str) -> ContainerSeen:
    """The container as Docker shows it after that start."""
    return ContainerSeen(
        container.name, container.service, Incarnation("d", start), "running", "healthy", 1, 0.0, 0, "",
        (), (), (), frozenset(number for _, number in container.ports),
    )  # fmt: skip


def make(folder: Path) -> Stack:
    path = folder / "lakehouse.yaml"
    path.write_text(FILE % tuple(free(3)))
    local = locate(load(path), "local", path)
    assert isinstance(local.runtime, Containers)
    own = [replace(each, mounts=each.mounts[:2]) for each in local.runtime.containers]  # without packages
    return Stack(local.state, tuple(local.services), tuple(own), local.claim)
