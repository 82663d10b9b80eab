"""Incarnation ids: which services a deploy replaces."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from lakehouse.runtimes.generations import NOTHING
from lakehouse.runtimes.incarnation import NONE, Incarnation, digest, propose, record, recorded
from lakehouse.runtimes.process.incarnation import look, look_supervisor, wanted
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State
from lakehouse.services.service import Probe, Service

MASTER = Service("master", "image", (), ("run",), Probe("tcp", 1))
WORKER = Service("worker", "image", (), ("run",), Probe("tcp", 2), needs=("master",))
CONNECT = Service("connect", "image", (), ("run",), Probe("tcp", 3), needs=("master",), restarts_with=("master",))
ALL = (MASTER, WORKER, CONNECT)


def started(service: Service) -> Incarnation:
    return Incarnation.new(digest(asdict(service)))


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
    digests = {each.name: digest(asdict(each)) for each in wanted}
    proposed = propose(wanted, digests, last, {each.name: each.name not in dead for each in ALL})
    assert {name for name, each in proposed.items() if each != last[name]} == renewed
    assert {name: each.digest for name, each in proposed.items()} == digests


def test_an_id_never_comes_again(tmp_path: Path) -> None:
    """A deploy that was interrupted may leave an id in Terraform's state for which nothing was started."""
    first, second = look(ALL, State(tmp_path)), look(ALL, State(tmp_path))
    assert all(first[each.name].digest == second[each.name].digest for each in ALL)
    assert all(first[each.name].start != second[each.name].start for each in ALL)


def test_a_service_that_is_only_busy_is_not_replaced(
    tmp_path: Path, busy_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Service("trino", "image", (), ("run",), Probe("http", busy_port))
    monkeypatch.setattr(Supervisor, "processes", lambda _: {"trino": Process("trino", "RUNNING", 7, 1, "")})
    (state := State(tmp_path)).prepare()
    record(state, "trino", Incarnation(wanted(busy, NOTHING), "1"))
    assert look([busy], state)["trino"] == recorded(state, "trino")


def test_recorded(tmp_path: Path) -> None:
    state = State(tmp_path)
    record(state, "trino", Incarnation("abc", "4d"))
    assert recorded(state, "trino") == Incarnation("abc", "4d")
    assert recorded(state, "nessie") == NONE


@pytest.mark.parametrize("content", ["", "{", "[]", '{"digest": "abc"}', '{"digest": "abc", "generation": 1}'])
def test_a_broken_record_is_none(tmp_path: Path, content: str) -> None:
    state = State(tmp_path)
    state.incarnation("trino").parent.mkdir(parents=True)
    state.incarnation("trino").write_text(content)
    assert recorded(state, "trino") == NONE


def test_a_dead_supervisor_gets_a_new_incarnation(tmp_path: Path) -> None:
    state = State(tmp_path)
    record(state, "supervisord", look_supervisor(state))
    assert look_supervisor(state) != recorded(state, "supervisord")
