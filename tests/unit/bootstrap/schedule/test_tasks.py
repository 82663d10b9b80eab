"""What tasks run, when, and what their ends mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bootstrap.schedule.tasks import Task, tasks
from lakehouse.runtimes.runs import DRIFT, FAILED, OK
from lakehouse.spec.schedule import Schedule

FILE = Path("/srv/lake/lakehouse.yaml")


def commands(**entry: object) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {each.name: each.commands for each in tasks(Schedule.model_validate(entry), FILE, "demo", "local")}


def test_each_task_is_a_command_of_the_toolkit() -> None:
    at = "0 3 * * *"
    assert commands(maintenance=at, metadata=at, drift=at) == {
        "maintenance": (("maintain",),),
        "metadata": (("metadata", "publish"),),
        "drift": (("drift",),),
    }


def test_backups_are_made_where_the_file_says_and_old_ones_go() -> None:
    whole = commands(backup={"at": "0 1 * * *", "to": "backups", "key": "backup.key", "keep": 7})
    assert whole["backup"] == (
        ("backup", "create", "/srv/lake/backups", "--key-file", "/srv/lake/backup.key"),
        ("backup", "delete", "/srv/lake/backups", "--keep", "7", "--of", "demo/local"),
    )
    assert commands(backup={"at": "0 1 * * *", "to": "s3://b/p"})["backup"] == (
        ("backup", "create", "s3://b/p", "--no-secrets"),
    )


@pytest.mark.parametrize(
    ("name", "code", "printed", "outcome"),
    [
        ("drift", 0, True, OK),
        ("drift", 2, True, DRIFT),
        ("drift", 2, False, FAILED),  # a wrong file has the same code
        ("drift", 1, True, FAILED),
        ("maintenance", 2, True, FAILED),
        ("maintenance", -9, True, FAILED),
    ],
)
def test_what_an_end_means(name: str, code: int, printed: bool, outcome: str) -> None:
    assert Task(name, "* * * * *", ()).outcome(code, printed) == outcome


def test_times_are_those_of_the_time_zone_also_when_clocks_change() -> None:
    berlin, task = ZoneInfo("Europe/Berlin"), Task("drift", "30 2 * * *", ())
    assert task.due(datetime(2026, 1, 10, 12, tzinfo=UTC), berlin) == datetime(2026, 1, 11, 1, 30, tzinfo=UTC)
    # At 2:00 on that day clocks go to 3:00: the run is not lost.
    assert task.due(datetime(2026, 3, 28, 12, tzinfo=UTC), berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "hours"),
    [("30 2 * * *", ["02:30+0200", "02:30+0100"]), ("30 * * * *", ["02:30+0200", "02:30+0100", "03:30+0100"])],
)
def test_an_hour_that_comes_twice_has_a_time_of_one_hour_once(at: str, hours: list[str]) -> None:
    """At 3:00 on 2026-10-25 clocks go to 2:00. A run takes ten seconds, and the next time is looked for at its end."""
    task, zone, now, found = Task("drift", at, ()), ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, tzinfo=UTC), []
    for _ in hours:
        due = task.due(now, zone)
        found.append(f"{due:%d %H:%M%z}")
        now = due.astimezone(UTC) + timedelta(seconds=10)
    assert found == [f"{26 if at.startswith('30 2') and nth else 25} {hour}" for nth, hour in enumerate(hours)]
