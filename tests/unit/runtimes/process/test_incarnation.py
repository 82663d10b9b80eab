"""Incarnation ids: which services a deploy replaces."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lakehouse.runtimes.process.incarnation import Incarnation, digest, look, look_supervisor, propose, record, recorded
from lakehouse.runtimes.process.state import State
from lakehouse.services.service import Probe, Service

MASTER = Service("master", "image", (), ("run",), Probe("tcp", 1))
WORKER = Service("worker", "image", (), ("run",), Probe("tcp", 2), needs=("master",))
CONNECT = Service("connect", "image", (), ("run",), Probe("tcp", 3), needs=("master",), restarts_with=("master",))
ALL = (MASTER, WORKER, CONNECT)


def started(service: Service, generation: int = 1) -> Incarnation:
    return Incarnation(digest(asdict(service)), generation)


@pytest.mark.parametrize(
    ("dead", "edited", "renewed"),
    [
        ((), (), set()),
        (("worker",), (), {"worker"}),
        ((), ("worker",), {"worker"}),
        (("master",), (), {"master", "connect"}),
        ((), ("master",), {"master", "connect"}),
        (("connect",), (), {"connect"}),
        (("master", "worker", "connect"), (), {"master", "worker", "connect"}),
    ],
)
def test_renewed(dead: tuple[str, ...], edited: tuple[str, ...], renewed: set[str]) -> None:
    last = {each.name: started(each) for each in ALL}
    wanted = [replace(each, memory_mb=7) if each.name in edited else each for each in ALL]
    proposed = propose(wanted, last, {each.name: each.name not in dead for each in ALL})
    assert {name for name, each in proposed.items() if each != last[name]} == renewed
    assert all(proposed[name].generation == 2 for name in renewed)


def test_first_start_is_generation_one(tmp_path: Path) -> None:
    assert {str(each) for each in look(ALL, State(tmp_path)).values()} == {f"{digest(asdict(each))}-1" for each in ALL}


def test_the_proposal_is_the_same_until_it_is_applied(tmp_path: Path) -> None:
    assert look(ALL, State(tmp_path)) == look(ALL, State(tmp_path))


def test_recorded(tmp_path: Path) -> None:
    state = State(tmp_path)
    record(state, "trino", Incarnation("abc", 4))
    assert recorded(state, "trino") == Incarnation("abc", 4)
    assert recorded(state, "nessie") == Incarnation("", 0)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"digest": "abc"}', '{"digest": "abc", "generation": "x"}'])
def test_a_broken_record_is_none(tmp_path: Path, content: str) -> None:
    state = State(tmp_path)
    state.incarnation("trino").parent.mkdir(parents=True)
    state.incarnation("trino").write_text(content)
    assert recorded(state, "trino") == Incarnation("", 0)


def test_a_dead_supervisor_gets_the_next_incarnation(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert look_supervisor(state).generation == 1
    record(state, "supervisord", Incarnation("supervisord", 1))
    assert look_supervisor(state).generation == 2
