"""What is found before a container is made; Docker is pretended."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.containers import Container, Mount, Seen
from lakehouse.runtimes.docker.engine import Engine
from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.docker.steps import prepare
from lakehouse.runtimes.local import locate
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
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
class Pretended(Engine):
    """A Docker that has the things of ``owners``: kind and name -> the state folder of whose they are."""

    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    published: frozenset[int] = frozenset()
    root: Path = Path("/nowhere")

    @property
    def client(self) -> NoReturn:
        """The real one: a test that reaches it depends on the machine."""
        raise AssertionError("the real Docker was asked")

    def publisher(self, port: int) -> str | None:
        return "another" if port in self.published else None

    def version(self) -> str:
        return "20.10.24"

    def folder(self) -> Path:
        return self.root

    def owner(self, kind: str, name: str) -> str | None:
        return self.owners.get((kind, name))

    def seen(self, state: State) -> dict[str, Seen]:
        return {}

    def has_image(self, reference: str) -> bool:
        return True

    def make_volumes(self, containers: Sequence[Container], labels: Mapping[str, str]) -> None:
        self.made += [each.volume.source for each in containers]


@dataclass
class Stack:
    state: State
    services: tuple[Service, ...]
    containers: tuple[Container, ...]

    def prepare(self, engine: Engine) -> None:
        prepare(self.state, self.services, self.containers, engine)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    path = tmp_path / "lakehouse.yaml"
    path.write_text(FILE % tuple(free(3)))
    local = locate(load(path), "local", path)
    assert isinstance(local.runtime, Containers)
    own = [replace(each, mounts=each.mounts[:2]) for each in local.runtime.containers]  # without packages
    return Stack(local.state, tuple(local.services), tuple(own))


def test_where_nothing_is_wrong_files_and_volumes_are_made(stack: Stack) -> None:
    engine = Pretended()
    stack.prepare(engine)
    assert engine.made == ["demo-local-s3proxy", "demo-local-nessie"]
    assert list(stack.state.config("nessie").iterdir())


def test_a_volume_of_others_is_never_to_be_removed(stack: Stack, tmp_path: Path) -> None:
    gone, there = str(tmp_path / "gone"), str(tmp_path)
    for owner, word in (
        (gone, "move it back"),
        (there, f"belongs to the lakehouse in {there}"),
        ("", "data of others"),
    ):
        with pytest.raises(LakehouseError, match=word) as failure:
            stack.prepare(Pretended({("volume", "demo-local-nessie"): owner}))
        assert "another `name`" in str(failure.value)
        assert "volume rm" not in str(failure.value)


def test_a_container_of_others_may_be_removed(stack: Stack) -> None:
    with pytest.raises(LakehouseError, match="was not made by a lakehouse.*docker container rm demo-local-nessie"):
        stack.prepare(Pretended({("container", "demo-local-nessie"): ""}))


def test_a_package_that_is_not_there_is_found(stack: Stack, tmp_path: Path) -> None:
    jar = Mount(str(tmp_path / "iceberg.jar"), "/opt/lakehouse/iceberg.jar", read_only=True)
    stack.containers = tuple(replace(each, mounts=(*each.mounts, jar)) for each in stack.containers)
    with pytest.raises(LakehouseError, match="iceberg.jar. `make setup` fetches what is missing"):
        stack.prepare(Pretended())


def test_a_taken_port_is_named_with_the_container_that_publishes_it(stack: Stack) -> None:
    number = stack.containers[1].ports[1][1]
    with socket.create_server(("127.0.0.1", number)), pytest.raises(LakehouseError) as failure:
        stack.prepare(Pretended(published=frozenset({number})))
    assert f"ort {number} (nessie-management) is taken by" in str(failure.value)
    assert "(container another)" in str(failure.value)


@pytest.mark.parametrize("full", ["state", "docker"])
def test_a_full_disk_is_found(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str) -> None:
    (docker := tmp_path / "docker").mkdir()
    place = docker if full == "docker" else stack.state.root
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=(10 if path == place else 10_000) << 20)
    )
    engine = Pretended(root=docker)
    with pytest.raises(LakehouseError, match=f"{place} has 10 MB free; 512 MB are wanted"):
        stack.prepare(engine)
    assert engine.made == []
