"""When a host is set up again."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lakehouse.runtimes.hosts import incarnation, remembered
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.hosts.seen import HostSeen, Seen
from lakehouse.runtimes.hosts.ssh import HostError
from lakehouse.runtimes.incarnation import NONE, Incarnation
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from tests.unit.lakehouse.runtimes.hosts.test_variables import CLIENTS

WELL = HostSeen("rules", ())


def proposed(
    placed: tuple[HostsPlace, tuple[Service, ...]], state: State, seen: Seen, *clients: IPv4Network
) -> dict[str, Incarnation]:
    place, services = placed
    return incarnation.hosts(services, state, place, seen, [*CLIENTS, *clients])


@pytest.fixture
def state(placed: tuple[HostsPlace, tuple[Service, ...]], tmp_path: Path) -> State:
    """Of a stack whose hosts were set up."""
    made = State(tmp_path)
    for name, each in proposed(placed, made, Seen()).items():
        assert each.why == "first set-up"
        remembered.keep(made, name, HostMemory(placed[0].hosts[name], placed[0].layout, each, "rules"))
    return made


def test_a_host_that_is_as_it_was_set_up_stays(placed: tuple[HostsPlace, tuple[Service, ...]], state: State) -> None:
    found = proposed(placed, state, Seen(hosts={"a": WELL, "b": WELL}))
    assert found == {name: remembered.recall(state, name).incarnation for name in ("a", "b")}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (replace(WELL, firewall="others"), "its firewall was changed by hand"),
        (
            replace(WELL, missing=("/opt/lakehouse/demo-prod/trino-476.0123456789abcdef",)),
            "trino-476 is gone, or in part",
        ),
    ],
)
def test_a_host_that_was_changed_by_hand_is_set_up_again(
    placed: tuple[HostsPlace, tuple[Service, ...]], state: State, there: HostSeen, why: str
) -> None:
    found = proposed(placed, state, Seen(hosts={"a": WELL, "b": there}))
    assert (found["a"].why, found["b"].why) == ("first set-up", why)  # that of its last start


def test_a_service_that_left_a_host_while_it_was_down_is_taken_from_it(
    placed: tuple[HostsPlace, tuple[Service, ...]], state: State
) -> None:
    worker = next(each for each in placed[1] if each.name == "trino-worker-1")
    back = Seen(hosts={"a": replace(WELL, units=("trino", "trino-worker-1")), "b": WELL})
    remembered.came(state, worker, "a")
    assert proposed(placed, state, back)["a"].why == "first set-up", "it is about to move"
    remembered.came(state, worker, "b")
    assert proposed(placed, state, back)["a"].why == "it has trino-worker-1, as before it was down"


def test_a_host_whose_first_set_up_was_interrupted_is_set_up_again(
    placed: tuple[HostsPlace, tuple[Service, ...]], state: State
) -> None:
    place, _ = placed
    remembered.keep(state, "b", HostMemory(place.hosts["b"], place.layout, NONE, ""))
    found = proposed(placed, state, Seen(hosts={"a": WELL, "b": WELL}))
    assert (found["a"].why, found["b"].why) == ("first set-up", "its first set-up did not end")


def test_a_host_that_does_not_answer_stays_unless_the_file_changes_it(
    placed: tuple[HostsPlace, tuple[Service, ...]], state: State
) -> None:
    down = Seen(hosts={"a": WELL}, down={"b": HostError("down")})
    last = remembered.recall(state, "b")
    assert last is not None
    assert proposed(placed, state, down)["b"] == last.incarnation
    changed = proposed(placed, state, down, IPv4Network("10.9.0.0/16"))
    assert changed["b"] != last.incarnation
    assert "firewall" in changed["a"].why
