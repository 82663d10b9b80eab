"""The scheduler's own decisions, with a clock of the test's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bootstrap.schedule.notify import Message
from bootstrap.schedule.run import Scheduled
from bootstrap.schedule.serve import Served, follow, known_since
from bootstrap.schedule.tasks import Task
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.runs import ScheduledRun
from lakehouse.runtimes.state import State
from lakehouse.spec.schedule import Notify, Schedule

HOURLY = Task("drift", "0 * * * *", (("drift",),))
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC).timestamp()


class Clock:
    """Waits at once, and ends the scheduler at ``until``."""

    def __init__(self, now: float, until: float) -> None:
        self.time, self.until = now, until

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> bool:
        self.time += seconds
        return self.time >= self.until


TOLD: list[Message] = []


@pytest.fixture
def told() -> list[Message]:
    TOLD.clear()
    return TOLD


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return []


def served(
    tmp_path: Path, clock: Clock, began: list[float], took: float = 10.0, fails: Exception | None = None
) -> Served:
    class Recorded(Scheduled):
        def run(self, task: Task) -> ScheduledRun:
            began.append(clock.time - NOON)
            run = self.runs.begin(task.name, clock.time)
            clock.time += took
            if fails:
                raise fails
            return run

    def tell(to: Notify, folder: Path, message: Message) -> str:
        TOLD.append(message)
        return "webhook: sent"

    scheduled = Recorded(tmp_path / "lakehouse.yaml", "demo", "local", State(tmp_path / "state"), Notify(), tell)
    return Served(scheduled, (HOURLY,), ZoneInfo("UTC"))


def test_it_runs_at_its_times_until_the_end(tmp_path: Path, began: list[float]) -> None:
    clock = Clock(NOON + 60, NOON + 3 * 3600 - 60)
    follow(HOURLY, served(tmp_path, clock, began), NOON + 60, wait=clock.wait, now=clock.now)
    assert began == [3600, 7200]


def test_times_that_passed_while_it_was_down_are_made_up_once(tmp_path: Path, began: list[float]) -> None:
    clock = Clock(NOON + 5.5 * 3600, NOON + 6.5 * 3600)
    follow(HOURLY, served(tmp_path, clock, began), NOON + 60, wait=clock.wait, now=clock.now)
    assert began == [5.5 * 3600, 6 * 3600]


def test_the_last_run_counts_after_a_restart(tmp_path: Path, began: list[float]) -> None:
    clock = Clock(NOON + 1800, NOON + 3000)
    there = served(tmp_path, clock, began)
    there.scheduled.runs.begin("drift", NOON + 1)
    follow(HOURLY, there, NOON - 7200, wait=clock.wait, now=clock.now)
    assert began == []


def test_a_long_run_is_not_run_twice_at_once(tmp_path: Path, began: list[float]) -> None:
    clock = Clock(NOON + 60, NOON + 6 * 3600)
    follow(HOURLY, served(tmp_path, clock, began, took=2.5 * 3600), NOON + 60, wait=clock.wait, now=clock.now)
    assert began == [3600, 4 * 3600]


def test_a_run_that_cannot_begin_ends_nothing(
    tmp_path: Path, began: list[float], told: list[Message], capsys: pytest.CaptureFixture[str]
) -> None:
    clock, fails = Clock(NOON + 60, NOON + 3 * 3600 - 60), LakehouseError("it runs already")
    follow(HOURLY, served(tmp_path, clock, began, fails=fails), NOON + 60, wait=clock.wait, now=clock.now)
    assert len(began) == 2
    assert "drift: it runs already" in capsys.readouterr().out
    assert told == []


@pytest.mark.parametrize("fails", [OSError(28, "No space left on device"), UnicodeError("label empty or too long")])
def test_a_run_that_is_lost_ends_nothing_and_people_know(
    tmp_path: Path, began: list[float], told: list[Message], fails: Exception
) -> None:
    clock = Clock(NOON + 60, NOON + 3 * 3600 - 60)
    follow(HOURLY, served(tmp_path, clock, began, fails=fails), NOON + 60, wait=clock.wait, now=clock.now)
    assert len(began) == 2
    assert told == [Message("demo, stack local: drift could not run", str(fails))] * 2


@pytest.mark.parametrize(("at", "seconds"), [("0 0 * * *", 11 * 3600), ("* * * * *", 3600)])
def test_people_know_of_a_run_without_an_end(
    tmp_path: Path, told: list[Message], monkeypatch: pytest.MonkeyPatch, at: str, seconds: float
) -> None:
    class Timer:
        """The time has come at once."""

        def __init__(self, after: float, do: Callable[..., None], given: tuple[object, ...]) -> None:
            assert after == pytest.approx(seconds, abs=60)
            self.start, self.cancel = lambda: do(*given), lambda: None

    monkeypatch.setattr("threading.Timer", Timer)
    clock, task = Clock(NOON + 3540, NOON + 86_400), Task("drift", at, ())
    there = served(tmp_path, clock, [], took=86_400)
    follow(task, there, NOON - 86_400, wait=clock.wait, now=clock.now)
    [message] = told
    assert message.subject == "demo, stack local: drift still runs"
    assert message.text.startswith("It began at 2026-05-01 12:59, and its next time has come")


def test_a_new_time_counts_from_now_and_the_same_one_from_before(tmp_path: Path) -> None:
    path, daily = tmp_path / "since.json", Task("drift", "0 0 * * *", ())
    assert known_since(path, [HOURLY], 5) == {"drift": 5}
    assert known_since(path, [HOURLY], 9) == {"drift": 5}
    assert known_since(path, [daily], 12) == {"drift": 12}
    path.write_text("{")
    assert known_since(path, [daily], 20) == {"drift": 20}


def test_what_a_deploy_wrote_is_read(tmp_path: Path) -> None:
    schedule = Schedule.model_validate({"drift": "0 * * * *", "time_zone": "Europe/Berlin"})
    content = {"file": "/srv/lakehouse.yaml", "lakehouse": "demo", "stack": "local", "state": str(tmp_path)}
    (tmp_path / "schedule.json").write_text(json.dumps({**content, "schedule": schedule.model_dump(mode="json")}))
    found = Served.read(tmp_path / "schedule.json")
    assert found.zone == ZoneInfo("Europe/Berlin")
    assert found.tasks == (HOURLY,)
    assert found.scheduled.file == Path("/srv/lakehouse.yaml")


def test_a_clock_that_was_in_the_future_and_is_set_back_ends_no_task(tmp_path: Path, began: list[float]) -> None:
    clock = Clock(NOON + 60, NOON + 2.5 * 3600)
    there = served(tmp_path, clock, began)
    years = 4 * 365 * 86400.0
    there.scheduled.runs.begin("drift", NOON + years)
    follow(HOURLY, there, NOON + years, wait=clock.wait, now=clock.now)
    assert began == [3600, 7200], "as if it had not run"
    last = there.scheduled.runs.last("drift")
    assert last is not None
    assert last.began == NOON + 7200, "the last one is the one that ran last"


def test_a_clock_that_is_set_back_while_it_waits(tmp_path: Path, began: list[float]) -> None:
    clock = Clock(NOON + 86400 + 60, NOON + 1.5 * 3600)
    there, waits = served(tmp_path, clock, began), []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            clock.time = NOON + 60
        elif clock.time < NOON + 86400:
            return clock.wait(seconds)
        return False

    follow(HOURLY, there, NOON + 86400, wait=wait, now=clock.now)
    assert began == [3600]
