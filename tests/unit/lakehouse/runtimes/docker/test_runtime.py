"""What commands ask of a stack on Docker: containers, and processes outside of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.runtimes.docker.runtime import Containers
from lakehouse.runtimes.generations import NOTHING
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.runtime import Process
from lakehouse.services.service import File
from tests.unit.lakehouse.runtimes.docker.pretended import OUTSIDE, Pretended, Stack, make, running


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return make(tmp_path)


def test_a_runtime_knows_both(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = stack.containers
    there = {"s3proxy": replace(running(store, "1"), incarnation=Incarnation(store.digest, "1"))}
    runtime = Containers(stack.state, (store,), Pretended(there=there), outside=(OUTSIDE,))
    monkeypatch.setattr(Supervisor, "processes", lambda self: {"watcher": Process("watcher", "RUNNING", 7, 1, "")})
    stack.state.prepare()
    stack.state.config("watcher").mkdir()
    stack.state.log("watcher").write_text("it watches\n")
    assert {name: each.pid for name, each in runtime.processes().items()} == {"s3proxy": 1, "watcher": 7}
    assert runtime.healthy() == {"s3proxy": True, "watcher": True}
    assert runtime.changed(NOTHING) == ["watcher"], "it was started with another definition"
    assert runtime.log("watcher", 5) == "it watches\n"
    assert runtime.further_logs() == ("supervisord", "class-archives")
    runtime.configure("watcher", [File("a/hook.url", "http://hook")])
    assert (stack.state.config("watcher") / "a/hook.url").stat().st_mode & 0o777 == 0o600


def test_what_the_file_no_longer_names_is_seen_and_is_no_service(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Supervisor, "processes", lambda self: {"watcher": Process("watcher", "RUNNING", 7, 1, "")})
    runtime = Containers(stack.state, (), Pretended())
    assert list(runtime.processes()) == ["watcher"]
    assert runtime.healthy() == {}
    assert runtime.further_logs() == ("class-archives",)
