"""supervisord's configuration as text, and what is found before it is asked."""

from __future__ import annotations

import configparser
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.process.supervisor import Supervisor, program
from lakehouse.runtimes.state import State
from lakehouse.services.service import Port, Probe, Service


def server(port: int, name: str = "web") -> Service:
    return Service(
        name=name,
        image="image",
        packages=(),
        command=(sys.executable, "-c", "pass", str(port)),
        probe=Probe("http", port, patience=20),
        ports=(Port(name, port),),
    )


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "a state, 100%")


def test_program_survives_what_paths_may_hold(tmp_path: Path) -> None:
    state = State(tmp_path / "50% off")
    service = replace(server(1), command=("/a b/run", "--text=100%", "it's"), environment=(("A", "x%y"),))
    parser = configparser.RawConfigParser()
    parser.read_string(program(service, state))
    section = parser["program:web"]
    assert shlex.split(section["command"].replace("%%", "%")) == ["/a b/run", "--text=100%", "it's"]
    assert 'A="x%%y"' in section["environment"]
    assert section["directory"] == str(state.config("web")).replace("%", "%%")


def test_preflight_names_a_missing_package(state: State, free_port: int) -> None:
    service = replace(server(free_port), command=("/nowhere/java", "-jar", "/nowhere/nessie.jar"))
    with pytest.raises(LakehouseError, match=r"Not there: /nowhere/java, /nowhere/nessie.jar. `make setup` fetches"):
        steps.preflight(state, [service])


def test_a_supervisor_that_is_gone_says_nothing(state: State) -> None:
    supervisor = Supervisor(state)
    assert not supervisor.alive()
    assert supervisor.processes() == {}
    supervisor.stop()
    supervisor.remove("web")
    with pytest.raises(LakehouseError, match="not up"):
        supervisor.restart("web")
