from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes.hosts import remembered, seen
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.hosts.seen import Seen, UnitSeen
from lakehouse.runtimes.hosts.ssh import HostError
from lakehouse.runtimes.incarnation import NONE
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def test_services_of_a_host_that_is_down_are_unreachable(
    placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, services = placed
    state = State(tmp_path)
    remembered.keep(state, "a", HostMemory(place.hosts["a"], place.layout, NONE, ""))
    trino = UnitSeen("a", "active", "running", "success", 42, 1, 1, ready=True, edited=False, missing=())
    monkeypatch.setattr(seen, "look", lambda *_: Seen(units={"trino": trino}, down={"b": HostError("down")}))
    runtime = Hosts(state, place, services, {})
    found = runtime.processes()
    assert found.keys() == {each.name for each in services if place.on(each.name) == "b"} | {"trino"}
    assert {each.state for name, each in found.items() if name != "trino"} == {"UNREACHABLE"}
    assert (found["trino"].state, found["trino-worker-1"].note) == ("RUNNING", "host b does not answer")
    assert {name for name, well in runtime.healthy().items() if well} == {"trino"}
