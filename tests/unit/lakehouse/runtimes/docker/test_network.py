"""The stack's network; Docker is a double."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from docker.errors import APIError, NotFound

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker import network
from lakehouse.runtimes.docker.containers import STATE
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.incarnation import NONE, Incarnation, digest, recorded
from lakehouse.runtimes.state import State


class Networks:
    """Docker's networks: name -> the state folder of the lakehouse that created it, empty for others."""

    def __init__(self, **there: str) -> None:
        self.there = there

    def list(self, filters: dict[str, str]) -> list[Any]:
        return [
            SimpleNamespace(name=name) for name, root in self.there.items() if filters["label"] == f"{STATE}={root}"
        ]

    def get(self, name: str) -> Any:
        if name not in self.there:
            raise NotFound(name)
        root = self.there[name]
        return SimpleNamespace(attrs={"Labels": {STATE: root} if root else {}}, remove=lambda: self.there.pop(name))

    def create(self, name: str, *, driver: str, labels: dict[str, str], check_duplicate: bool) -> None:
        assert (driver, check_duplicate) == ("bridge", True)
        self.there[name] = labels[STATE]


def docker(networks: Networks) -> DockerEngine:
    engine = DockerEngine()
    engine.__dict__["client"] = SimpleNamespace(networks=networks)
    return engine


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def test_it_is_made_once_and_kept(state: State) -> None:
    there = Networks(others="")
    first = network.look(docker(there), state, "demo")
    network.up(docker(there), state, "demo", first.start)
    assert there.there == {"others": "", "demo": str(state.root)}
    assert network.look(docker(there), state, "demo") == first
    assert recorded(state, network.NETWORK) == first


def test_a_network_that_is_gone_or_has_another_name_is_made_again(state: State) -> None:
    there = Networks()
    network.up(docker(there), state, "demo", "1")
    assert network.look(docker(there), state, "renamed").start != "1"
    del there.there["demo"]
    again = network.look(docker(there), state, "demo")
    assert again.start != "1"
    network.up(docker(there), state, "demo", again.start)
    assert network.look(docker(there), state, "demo") == again


def test_a_network_of_a_former_release_or_an_interrupted_deploy_is_taken_over(state: State) -> None:
    there = Networks(demo=str(state.root))
    assert recorded(state, network.NETWORK) == NONE
    network.up(docker(there), state, "demo", "1")
    assert there.there == {"demo": str(state.root)}
    assert recorded(state, network.NETWORK) == Incarnation(digest(network.NETWORK), "1")


def test_the_network_of_a_former_name_is_removed(state: State) -> None:
    there = Networks(former=str(state.root), others="/another")
    network.up(docker(there), state, "demo", "1")
    assert there.there == {"others": "/another", "demo": str(state.root)}


@pytest.mark.parametrize(("owner", "word"), [("/another", "belongs to the lakehouse in /another"), ("", "not created")])
def test_a_network_of_others_is_left_alone(state: State, owner: str, word: str) -> None:
    there = Networks(demo=owner)
    with pytest.raises(LakehouseError, match=rf"network demo .*{word}.*docker network rm demo"):
        network.up(docker(there), state, "demo", "1")
    network.down(docker(there), state)
    assert there.there == {"demo": owner}
    assert recorded(state, network.NETWORK) == NONE


def test_a_destroy_removes_it(state: State) -> None:
    there = Networks(demo=str(state.root), others="")
    network.down(docker(there), state)
    network.down(docker(there), state)
    assert there.there == {"others": ""}


def test_a_synth_needs_no_docker(state: State) -> None:
    class Silent:
        def list(self, filters: dict[str, str]) -> NoReturn:
            raise APIError("500 Server Error")

    network.up(docker(Networks()), state, "demo", "1")
    engine = DockerEngine()
    engine.__dict__["client"] = SimpleNamespace(networks=Silent())
    assert network.look(engine, state, "demo").start != "1"
