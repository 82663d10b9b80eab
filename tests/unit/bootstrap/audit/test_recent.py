"""What several layers say, joined by time; and what `--since` names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.audit.event import AccessEvent
from bootstrap.audit.recent import moment, recent
from bootstrap.remote.errors import Refused
from lakehouse.errors import UsageError

NOW = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)


def at(minute: int, layer: str = "trino", who: str = "bi") -> AccessEvent:
    return AccessEvent(NOW + timedelta(minutes=minute), layer, who, f"{minute}", "", "ok")


@dataclass
class Layer:
    """A record, the newest first. ``ends``: it fails after that many."""

    layer: str
    events: Sequence[AccessEvent]
    ends: int | None = None
    note: str = ""
    read_so_far: int = 0

    def read(self, since: datetime | None) -> Iterator[AccessEvent]:
        for each in self.events:
            if self.read_so_far == self.ends:
                raise Refused("no answer")
            self.read_so_far += 1
            yield each
        if self.read_so_far == self.ends:
            raise Refused("no answer")


def test_the_newest_of_all_layers_the_oldest_first() -> None:
    layers = [Layer("a", [at(9), at(5), at(1)]), Layer("b", [at(8), at(2)])]
    found = recent(layers, None, None, 3)
    assert [each.what for each in found.events] == ["5", "8", "9"]
    assert found.unread == {}


def test_events_of_the_same_second_stay_in_their_order() -> None:
    found = recent([Layer("a", [at(1, who="second"), at(1, who="first")])], None, None, 9)
    assert [each.who for each in found.events] == ["first", "second"]


def test_a_layer_that_does_not_answer_is_named_and_the_others_go_on() -> None:
    found = recent([Layer("a", [at(3)], ends=0), Layer("b", [at(1)])], None, None, 9)
    assert [each.what for each in found.events] == ["1"]
    assert found.unread == {"a": "no answer"}


def test_only_since_then_and_only_of_one_name() -> None:
    log = Layer("a", [at(9, who="etl"), at(8), at(7, who="etl"), at(3, who="etl"), at(2, who="etl")])
    found = recent([log], NOW + timedelta(minutes=4), "etl", 9)
    assert [each.what for each in found.events] == ["7", "9"]
    assert log.read_so_far == 4, "the rest of a long record is not read"
    assert recent([Layer("a", [at(1)])], None, "nobody", 9).events == ()


def test_a_long_record_is_read_only_as_far_as_the_limit() -> None:
    log = Layer("a", [at(-nth) for nth in range(1000)])
    assert len(recent([log], None, None, 5).events) == 5
    assert log.read_so_far == 5


@given(st.lists(st.lists(st.integers(0, 60)), max_size=3), st.integers(1, 9))
def test_it_is_what_sorting_everything_gives(minutes: list[list[int]], limit: int) -> None:
    layers = [Layer(f"{nth}", [at(m) for m in sorted(each, reverse=True)]) for nth, each in enumerate(minutes)]
    every = sorted(m for each in minutes for m in each)
    assert [int(each.what) for each in recent(layers, None, None, limit).events] == every[-limit:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("1h", NOW - timedelta(hours=1)),
        ("2d", NOW - timedelta(days=2)),
        ("45s", NOW - timedelta(seconds=45)),
        ("2026-11-26T10:00+02:00", datetime(2026, 11, 26, 10, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-11-26T10:00", datetime(2026, 11, 26, 10).astimezone()),
        ("2026-11-26", datetime(2026, 11, 26).astimezone()),
    ],
)
def test_since_is_how_long_ago_or_when(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "h", "1", "1w", "-1h", "yesterday", "9999999999d", "2026-13-01", "0001-01-01"])
def test_what_is_not_a_time_is_refused_with_the_fix(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time. Write how long ago"):
        moment(text, NOW)
