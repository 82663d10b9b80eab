"""The stack's network on a real Docker, without services."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker import network
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.images import IMAGES
from lakehouse.runtimes.state import State

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NAME = f"it-network-{os.getpid()}"


@pytest.fixture
def state(engine: DockerEngine, tmp_path: Path) -> Iterator[State]:
    found = State(tmp_path)
    yield found
    network.down(engine, found)
    assert engine.owner("network", NAME) is None


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_network_that_was_removed_by_hand_is_made_again(engine: DockerEngine, state: State) -> None:
    first = network.look(engine, state, NAME)
    network.up(engine, state, NAME, first.start)
    assert network.look(engine, state, NAME) == first
    made = engine.client.networks.get(NAME)
    assert (made.attrs["Driver"], made.attrs["Internal"], made.attrs["Scope"]) == ("bridge", False, "local")
    docker("network", "rm", NAME)
    again = network.look(engine, state, NAME)
    assert again != first
    network.up(engine, state, NAME, again.start)
    network.up(engine, state, NAME, again.start)  # an interrupted deploy goes on
    assert network.look(engine, state, NAME) == again


def test_a_new_name_removes_the_former_network(engine: DockerEngine, state: State) -> None:
    network.up(engine, state, f"{NAME}-former", "1")
    network.up(engine, state, NAME, "2")
    assert engine.networks(state) == {NAME}


def test_a_network_of_others_is_left_alone(engine: DockerEngine, state: State) -> None:
    docker("network", "create", NAME)
    try:
        with pytest.raises(LakehouseError, match=f"network {NAME} was not created by a lakehouse"):
            network.up(engine, state, NAME, "1")
        network.down(engine, state)
        assert engine.owner("network", NAME) == ""
    finally:
        docker("network", "rm", NAME)


def test_a_container_of_others_in_the_network_is_named(engine: DockerEngine, state: State) -> None:
    image = IMAGES["trino-476"].reference
    if not engine.has_image(image):
        pytest.skip(f"{image} is not here")
    network.up(engine, state, NAME, "1")
    guest = docker(
        "run", "--detach", "--name", f"{NAME}-guest", "--network", NAME, "--entrypoint", "sleep", image, "60"
    )
    try:
        with pytest.raises(LakehouseError, match=f"network {NAME} cannot be removed.*: {NAME}-guest"):
            network.down(engine, state)
    finally:
        docker("rm", "--force", "--volumes", guest.strip())
