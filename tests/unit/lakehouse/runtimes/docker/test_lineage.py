"""Where what takes lineage listens beside containers."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker import lineage
from lakehouse.runtimes.process import lineage as beside
from tests.unit.lakehouse.runtimes.docker.pretended import Pretended

HERE = {
    "docker0": [
        SimpleNamespace(family=psutil.AF_LINK, address="02:42:00:00:00:01"),
        SimpleNamespace(family=socket.AF_INET, address="172.17.0.1"),
        SimpleNamespace(family=socket.AF_INET6, address="fe80::1"),
    ],
    "eth0": [SimpleNamespace(family=socket.AF_INET, address="10.0.0.5")],
}


class Bridged(Pretended):
    name = "docker0"

    def interface(self) -> str:
        return self.name


def test_it_listens_at_the_bridge_alone_besides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: HERE)
    assert lineage.addresses(Bridged()) == ("172.17.0.1",)


@pytest.mark.parametrize("name", ["", "of-a-virtual-machine"])
def test_without_a_bridge_here_it_listens_at_the_loopback_address_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: HERE)
    monkeypatch.setattr(Bridged, "name", name)
    assert lineage.addresses(Bridged()) == ()


def test_without_docker_it_ends_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: object) -> str:
        raise LakehouseError("Docker does not answer")

    monkeypatch.setattr("lakehouse.runtimes.docker.engine.DockerEngine.interface", silent)
    with pytest.raises(SystemExit, match="where containers call is unknown: Docker does not answer"):
        lineage.main(["file", "data"])


def test_it_gives_the_same_at_each_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: HERE)
    monkeypatch.setattr(lineage, "DockerEngine", Bridged)
    monkeypatch.setattr(beside, "main", lambda arguments, further: given.append((*arguments, *further)))
    lineage.main(["file", "data"])
    assert given == [("file", "data", "172.17.0.1")]
