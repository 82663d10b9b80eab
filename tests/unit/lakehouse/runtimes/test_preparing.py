from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving, lock, memory, preparing, training
from lakehouse.runtimes.archiving import JobNote
from lakehouse.runtimes.process import archives
from lakehouse.runtimes.process import training as by_processes
from lakehouse.runtimes.state import State, terraform_state
from lakehouse.runtimes.training import Teller

FILE = Path(__file__).parents[4] / "lakehouse.yaml"
MISSING = {Path("trino.aot"): ()}


class World:
    """What the job sees: the notes at each wait and each training, and the archives that are missing after each."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.seen: list[str] = []
        self.missing: list[dict[Path, tuple[()]]] = []

    def train(self, lakehouse: object, stack: str, path: Path, teller: Teller) -> None:
        assert teller.in_background
        teller.does("recording")
        self.note()

    def note(self) -> None:
        self.seen.append(archiving.noted(self.state).text)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(State(tmp_path / "state"))
    monkeypatch.setattr(training, "train", world.train)
    monkeypatch.setattr(archives, "missing", lambda services: world.missing.pop(0))
    monkeypatch.setattr(preparing, "locate", lambda *_: SimpleNamespace(services=()))
    monkeypatch.setattr(preparing, "_INTERVAL", 0)
    monkeypatch.setattr(lock, "holder", lambda state: None)
    monkeypatch.setattr(preparing, "_ROOM_MB", 1)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 9.0, 9.0))
    return world


def test_it_notes_what_it_does_and_nothing_after_the_end(world: World) -> None:
    world.missing = [{}]
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert world.seen == ["recording"]
    assert archiving.noted(world.state) == JobNote()


def test_it_waits_for_the_deploy_that_started_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    holders = [object(), object(), None]

    def holder(state: Path) -> object:
        assert state == terraform_state(FILE, "local")
        world.note()
        return holders.pop(0)

    monkeypatch.setattr(lock, "holder", holder)
    world.missing = [{}]
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert world.seen == ["waiting until the deploy has ended"] * 3 + ["recording"]


def test_it_waits_until_a_processor_is_idle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the lowest priority its second lakehouse would stand still, and keep 2 GB."""
    loads = [9.0, 4.0, 3.9]
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (loads.pop(0), 0.0, 0.0))
    world.missing = [{}]
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert (loads, world.seen) == ([], ["recording"])


def test_it_does_not_wait_for_ever_where_others_work_all_the_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 1000.0, 1000.0))
    monkeypatch.setattr(preparing, "_BUSY", 0.01)
    world.missing = [{}]
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert world.seen == ["recording"]


def test_it_waits_for_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the container in which it runs: otherwise the services would be killed for it."""
    free = [100, 4000]
    monkeypatch.setattr(preparing, "_ROOM_MB", 3000)
    monkeypatch.setattr(memory, "machine", lambda: (8000, free.pop(0)))
    world.missing = [{}]
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert (free, world.seen) == ([], ["recording"])


def test_it_gives_up_after_three_attempts_even_if_it_was_killed_between_them(world: World) -> None:
    archiving.note(world.state, JobNote("recording", 1))
    world.missing = [dict(MISSING), dict(MISSING)]
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert world.seen == ["recording"] * 2
    assert "lakehouse logs class-archives" in archiving.noted(world.state).text
    assert archiving.noted(world.state).failed
    assert archiving.noted(world.state).attempts == 0, "the next deploy may try again"


def test_on_a_full_disk_it_ends_with_a_code_after_which_it_is_not_started_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "/state/run/class-archives.json")

    monkeypatch.setattr(archiving, "note", fail)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("lakehouse.runtimes.priority.lowest", lambda: None)
    with pytest.raises(SystemExit, match=r"/state/run/class-archives\.json: No space left on device"):
        preparing.main([str(world.state.root), str(FILE), "local", "process"])


def test_an_invalid_file_is_an_attempt_that_failed(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(path: Path) -> None:
        raise LakehouseError("not valid")

    monkeypatch.setattr(preparing, "load", fail)
    preparing.prepare(world.state, FILE, "local", by_processes)
    assert capsys.readouterr().out == "not valid\n" * 3
    assert archiving.noted(world.state).text.startswith("not made")
