"""Turns of services that are drained before they start again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.hosts import rolling
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.state import State
from lakehouse.services.service import Drain, Probe, Service

_PLAIN = Service("nessie", "", (), (), Probe("tcp"))
WORKERS = tuple(replace(_PLAIN, name=f"worker-{number}", drain=Drain("worker", 1, "/", "")) for number in (1, 2))


@dataclass
class _Runtime:
    """A runtime on whose hosts some services answer."""

    state: State
    up: set[str]
    services: tuple[Service, ...] = (_PLAIN, *WORKERS)
    drained: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)

    def answers(self, service: Service) -> bool:
        return service.name in self.up

    @property
    def place(self) -> _Runtime:
        return self

    @property
    def hosts(self) -> dict[str, str]:
        return {"a": "the host a"}

    def on(self, service: str) -> str:
        return "a"

    def empty(self, service: str, ssh: str) -> None:
        assert ssh == "the host a"
        self.drained.append(service)

    def fill(self, service: str, ssh: str) -> None:
        assert ssh == "the host a"
        self.filled.append(service)


@pytest.fixture
def runtime(tmp_path: Path) -> _Runtime:
    (tmp_path / "hosts").mkdir()
    return _Runtime(State(tmp_path), {"nessie", "worker-1", "worker-2"})


def plan() -> dict[str, Incarnation]:
    return {each.name: Incarnation.new("digest") for each in (_PLAIN, *WORKERS)}


def turn(runtime: _Runtime, service: Service, planned: dict[str, Incarnation]) -> Any:
    return rolling.turn(cast("Hosts", runtime), service, planned)


def test_only_what_runs_and_can_be_drained_is(runtime: _Runtime) -> None:
    runtime.up.remove("worker-2")
    for each in runtime.services:
        with turn(runtime, each, plan()):
            pass
    assert runtime.drained == ["worker-1"]


def test_one_of_a_group_starts_again_at_a_time(runtime: _Runtime) -> None:
    planned, began = plan(), threading.Event()

    def second() -> None:
        began.set()
        with turn(runtime, WORKERS[1], planned):
            pass

    other = threading.Thread(target=second)
    with turn(runtime, WORKERS[0], planned):
        other.start()
        began.wait()
        other.join(0.2)
        assert runtime.drained == ["worker-1"]
        with turn(runtime, _PLAIN, planned):
            pass
    other.join()
    assert runtime.drained == ["worker-1", "worker-2"]


def test_after_one_that_failed_the_others_are_left_as_they_are_until_the_next_deploy(runtime: _Runtime) -> None:
    planned = plan()
    with pytest.raises(LakehouseError, match="no port"), turn(runtime, WORKERS[0], planned):
        raise LakehouseError("no port")
    assert runtime.filled == ["worker-1"]
    runtime.up.remove("worker-1")
    rule = "worker-2 runs as before and was not restarted, because worker-1 did not start"
    with pytest.raises(LakehouseError, match=rule), turn(runtime, WORKERS[1], planned):
        pass
    assert runtime.drained == ["worker-1"]
    again = plan()
    for each in (WORKERS[1], WORKERS[0]):
        with turn(runtime, each, again):
            pass
    assert runtime.drained == ["worker-1", "worker-2"]
    assert runtime.filled == ["worker-1"]
