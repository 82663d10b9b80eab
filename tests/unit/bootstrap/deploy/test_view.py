"""The view of a deploy: what happened -> a frame, and the lines without a terminal."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bootstrap.deploy.log import Counted, Said, Waiting
from bootstrap.deploy.view import DeployView, frame, plain_lines
from lakehouse.runtimes.events import Event

SERVICES = ["s3proxy", "nessie", "trino"]
START = [
    Event("planned", "nessie", "first start"),
    Event("planned", "trino", "engines.trino.memory: 1g -> 2g"),
    Event("started", "nessie", at=102.0),
]


def view(*happened: Said, services: Iterable[str] = SERVICES) -> DeployView:
    made = DeployView.of("deploy", "demo", "local", list(services), 100.0)
    for each in happened:
        made = made.after(each)
    return made


def drawn(made: DeployView, width: int = 80, height: int = 24, now: float = 110.0) -> list[str]:
    return [line.text for line in frame(made, now, width, height)]


def test_before_anything_has_happened() -> None:
    assert drawn(view()) == [
        "deploying demo, stack local  10 s",
        "  3 unchanged",
        "  comparing the file with what runs",
    ]


def test_each_service_that_changes_has_its_state_and_seconds() -> None:
    assert drawn(view(*START)) == [
        "deploying demo, stack local  10 s",
        "  nessie  starting    8.0 s",
        "  trino   waiting",
        "  1 unchanged",
    ]
    assert drawn(view(*START, Event("ready", "nessie", at=105.5), Event("started", "trino", at=106.0)))[1:3] == [
        "  nessie  ready       3.5 s",
        "  trino   starting    4.0 s",
    ]


def test_a_failed_service_stands_still_and_the_first_error_is_kept() -> None:
    made = view(
        *START, Event("failed", "nessie", "no port", at=109.0), Event("failed", "trino", "no catalog", at=109.5)
    )
    assert drawn(made, now=200.0)[1] == "  nessie  failed      7.0 s"
    assert (made.where, made.failed) == ("nessie", "no port")


def test_contents_that_are_applied() -> None:
    made = view(Event("contents", done=0, of=4), Event("contents", "table lake.a.t", done=3, of=4))
    assert drawn(made)[-1] == "  contents  3 of 4  table lake.a.t"


def test_a_stack_without_services_counts_resources() -> None:
    made = view(Counted(of=12), Counted(done=1), Counted(done=1), services=())
    assert drawn(made)[-1] == "  resources  2 of 12"


def test_a_deploy_that_waits_for_another_one_says_so_until_it_goes_on() -> None:
    made = view(Waiting("x.tfstate is locked by another deploy (pid 7): waiting until it ends."))
    assert "locked by another deploy (pid 7)" in drawn(made)[-1]
    assert "locked" not in "".join(drawn(made.after(Event("planned", "trino"))))


@pytest.mark.parametrize("width", [1, 5, 20, 40])
@pytest.mark.parametrize("height", [1, 2, 3, 5, 8])
def test_a_frame_fits_on_a_small_terminal(width: int, height: int) -> None:
    many = [f"spark-worker-{number}" for number in range(40)]
    happened = [Event("started", name, at=101.0) for name in many[:30]]
    lines = drawn(view(*happened, Counted(of=3), services=many), width, height)
    assert 1 <= len(lines) <= max(1, height - 1)
    assert all(len(line) <= width for line in lines)


def test_if_there_is_no_room_for_all_the_busy_ones_are_shown() -> None:
    many = [f"worker-{number}" for number in range(20)]
    ready = [each for name in many[:18] for each in (Event("started", name, at=101.0), Event("ready", name, at=102.0))]
    lines = drawn(view(*ready, Event("started", many[18], at=103.0), services=many), height=8)
    assert lines[1] == "  worker-18  starting    7.0 s"
    assert lines[2] == "  18 ready, 1 unchanged"


def test_control_characters_of_an_error_or_a_step_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in "".join(drawn(view(Event("step", text="pulling \x1b[2J image"))))


def test_a_container_that_replaces_another_one_stays_ready() -> None:
    made = view(Event("started", "trino", at=1.0), Event("ready", "trino", at=2.0), Event("stopped", "trino", at=3.0))
    assert made.parts["trino"].state == "ready"


def test_a_destroy() -> None:
    made = DeployView.of("destroy", "demo", "local", SERVICES, 100.0)
    for each in (Event("stopping", "trino", at=101.0), Event("stopped", "trino", at=103.0)):
        made = made.after(each)
    assert drawn(made)[:2] == ["stopping demo, stack local  10 s", "  trino  stopped     2.0 s"]


def test_lines_tell_each_change_once() -> None:
    before, lines = view(), []
    happened = [
        *START,
        Event("ready", "nessie", at=105.0),
        Event("started", "trino", at=105.0),
        Event("contents", of=2),
        Event("contents", "table a", done=1, of=2),
        Event("contents", "table b", done=2, of=2),
        Event("failed", "trino", "it is gone", at=109.0),
    ]
    for each in happened:
        after = before.after(each)
        lines += list(plain_lines(before, after, 110.0))
        assert list(plain_lines(after, after, 111.0)) == []
        before = after
    assert lines == [
        "nessie: starting (first start)",
        "nessie: ready after 3.0 s",
        "trino: starting (engines.trino.memory: 1g -> 2g)",
        "contents: 0 of 2 changes applied",
        "contents: 2 of 2 changes applied",
        "trino: failed after 4.0 s",
    ]
