"""What steps tell a command that watches."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes import events
from lakehouse.runtimes.events import Event


def test_events_are_read_in_the_order_in_which_they_were_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(events.VARIABLE, str(tmp_path / "events"))
    events.tell("planned", "trino", "first start")
    events.tell("contents", "table a", done=1, of=2)
    first, second = events.read((tmp_path / "events").read_text().splitlines())
    assert (first.kind, first.name, first.text) == ("planned", "trino", "first start")
    assert (second.done, second.of) == (1, 2)
    assert second.at >= first.at > 0


def test_without_a_watcher_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(events.VARIABLE, raising=False)
    events.tell("ready", "trino")
    monkeypatch.setenv(events.VARIABLE, str(tmp_path / "no folder" / "events"))
    events.tell("ready", "trino")  # the watcher has ended
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_event_is_left_out() -> None:
    assert list(events.read(["", "x", "[]", '{"kind": "ready", "name": "a"}', '{"other": 1}'])) == [Event("ready", "a")]
