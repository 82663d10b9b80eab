"""When the store takes no writes, and how it takes them again; the supervisor is a double."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.runtimes import disk
from lakehouse.runtimes.disk import BALLAST, BALLAST_MB, DiskRoom
from lakehouse.runtimes.process import watch
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Probe, Service
from lakehouse.text.placeholders import Secret

STORE = Service(
    name="s3proxy",
    image="image",
    packages=(),
    command=("/bin/true",),
    probe=Probe("tcp", 1),
    files=(File("s3proxy.conf", ("key=", Secret("key"), "\n")),),
    reading=(File("s3proxy.conf", ("key=", Secret("key"), "\nread-only\n")),),
)
ENOUGH, LITTLE = DiskRoom(Path("/s"), 5000, 90_000), DiskRoom(Path("/s"), 10, 90_000)


class Machine:
    """The disk and the supervisor."""

    def __init__(self) -> None:
        self.room = ENOUGH
        self.done: list[str] = []

    def restart(self, name: str) -> None:
        self.done.append(f"restart {name}")

    def halt(self, name: str) -> None:
        self.done.append(f"halt {name}")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(disk, "least", lambda folders: found.room)
    monkeypatch.setattr(disk, "look", lambda folder: found.room)
    monkeypatch.setattr("lakehouse.runtimes.process.supervisor.Supervisor", lambda state: found)
    return found


@pytest.fixture
def state(tmp_path: Path) -> State:
    found = State(tmp_path)
    found.prepare()
    watch.watched(found, STORE)
    return found


def conf(state: State) -> str:
    return (state.config("s3proxy") / "s3proxy.conf").read_text()


def test_a_full_disk_makes_the_store_read_only_until_there_is_room(state: State, machine: Machine) -> None:
    watch.look(state)
    assert machine.done == []
    assert (state.root / BALLAST).stat().st_size == BALLAST_MB << 20
    machine.room = LITTLE
    watch.look(state)
    watch.look(state)
    assert machine.done == ["restart s3proxy"], "once"
    assert conf(state) == f"key={state.secret('key')}\nread-only\n"
    assert "the store s3proxy accepts only reads: /s has 10 MB free" in watch.closed(state)
    assert (state.root / BALLAST).stat().st_size < BALLAST_MB << 20, "for the files that were written"
    machine.room = replace(LITTLE, free_mb=disk.CLOSE_MB + 1)
    watch.look(state)
    assert watch.closed(state), "it does not go to and fro"
    machine.room = ENOUGH
    watch.look(state)
    assert machine.done == ["restart s3proxy"] * 2
    assert conf(state) == f"key={state.secret('key')}\n"
    assert watch.closed(state) == ""


def test_exhausted_inodes_count_as_much(state: State, machine: Machine) -> None:
    machine.room = replace(ENOUGH, inodes=disk.CLOSE_INODES - 1)
    watch.look(state)
    assert machine.done == ["restart s3proxy"]
    assert "room for 499 more files" in watch.closed(state)


def test_a_store_without_such_a_mode_is_stopped(state: State, machine: Machine) -> None:
    watch.watched(state, replace(STORE, reading=()))
    machine.room = LITTLE
    watch.look(state)
    assert machine.done == ["halt s3proxy"]
    assert "is stopped" in watch.closed(state)
    machine.room = ENOUGH
    watch.look(state)
    assert machine.done == ["halt s3proxy", "restart s3proxy"]


def test_a_new_start_of_the_store_takes_writes(state: State, machine: Machine) -> None:
    machine.room = LITTLE
    watch.look(state)
    watch.watched(state, STORE)
    assert watch.closed(state) == ""


def test_before_the_store_was_started_and_with_a_supervisor_that_is_gone_nothing_breaks(
    tmp_path: Path, state: State, machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.room = LITTLE
    fresh = State(tmp_path / "fresh")
    fresh.prepare()
    watch.look(fresh)
    assert watch.closed(fresh) == ""

    def gone(name: str) -> None:
        raise OSError("no supervisor")

    monkeypatch.setattr(machine, "restart", gone)
    watch.look(state)
    assert "no supervisor" in capsys.readouterr().out
