"""The metastore's locks: which are renewed, and which are released for processes that died."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from types import SimpleNamespace as Some
from typing import Any

import pytest
from hive_metastore.ttypes import LockState, NoSuchLockException

from bootstrap.catalogs import metastore
from bootstrap.catalogs.metastore import Metastore
from bootstrap.remote.errors import Conflict

HERE, SPACE = socket.gethostname(), metastore._namespace()


class Locks:
    """A metastore's locks: the ones that are there, and a new one."""

    def __init__(self, *there: tuple[str, str | None]) -> None:
        self.there = [Some(lockid=n, hostname=host, agentInfo=agent) for n, (host, agent) in enumerate(there)]
        self.calls: list[tuple[str, int]] = []
        self.released = False

    def lock(self, request: Any) -> Any:
        self.asked = request
        return Some(lockid=77, state=LockState.ACQUIRED)

    def heartbeat(self, request: Any) -> None:
        self.calls.append(("heartbeat", request.lockid))
        if self.released:
            raise NoSuchLockException("No such lock: 77")

    def show_locks(self, request: Any) -> Any:
        return Some(locks=self.there)

    def unlock(self, request: Any) -> None:
        self.calls.append(("unlock", request.lockid))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Metastore:
    """A metastore that is not connected."""
    found = Metastore("thrift://127.0.0.1:1", 1.0)
    monkeypatch.setattr(found, "_unlock", lambda what, lock: None)
    return found


def test_a_lock_is_renewed_before_the_write(quiet: Metastore) -> None:
    client = Locks()
    with quiet.locked(client, "n.t", "n", "t") as held:
        assert client.calls == []
        held()
    assert client.calls == [("heartbeat", 77)]


def test_a_lock_that_was_released_is_a_conflict(quiet: Metastore) -> None:
    client = Locks()
    client.released = True
    with (
        pytest.raises(Conflict, match="n.t: the metastore released its lock"),
        quiet.locked(client, "n.t", "n", "t") as held,
    ):
        held()


@pytest.fixture
def dead() -> int:
    """The pid of a process that ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.mark.parametrize(
    ("host", "agent", "released"),
    [
        (HERE, "lakehouse {dead} {space}", True),
        (HERE, "lakehouse {alive} {space}", False),
        ("elsewhere", "lakehouse {dead} {space}", False),
        (HERE, "lakehouse {dead} pid:[1]", False),  # another container with the same host name
        (HERE, "lakehouse {dead}", False),
        (HERE, "lakehouse abc {space}", False),
        (HERE, "lakehouse {huge} {space}", False),
        (HERE, "lakehouse", False),
        (HERE, "spark {dead} {space}", False),
        (HERE, None, False),
    ],
)
def test_only_locks_of_dead_processes_of_this_pid_namespace_are_released(
    dead: int, host: str, agent: str | None, released: bool
) -> None:
    text = agent and agent.format(dead=dead, alive=os.getpid(), space=SPACE, huge="9" * 30)
    client = Locks((host, text))
    metastore._free_of_the_dead(client, "n", "t")
    assert client.calls == ([("unlock", 0)] if released else [])


def test_a_lock_names_its_process_in_the_form_that_is_read() -> None:
    request = metastore._request("n", "t")
    found = metastore._OURS.fullmatch(request.agentInfo)
    assert found is not None
    assert (found["pid"], found["namespace"]) == (str(os.getpid()), SPACE)
    assert request.hostname == HERE
