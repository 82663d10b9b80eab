"""A run is recorded and logged, and who must know is told once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.schedule.notify import Message
from bootstrap.schedule.run import Scheduled
from bootstrap.schedule.tasks import Task
from lakehouse.runtimes.runs import DRIFT, FAILED, KILLED, OK
from lakehouse.runtimes.state import State
from lakehouse.spec.schedule import Notify

DRIFTS, BACKUP = Task("drift", "* * * * *", (("drift",),)), Task("backup", "* * * * *", (("one",), ("two",)))


class Program:
    """What takes the place of the toolkit's program: an exit code, and what it prints to each stream."""

    def __init__(self) -> None:
        self.answer: dict[str, tuple[int, str, str]] = {}
        self.words: list[str] = []

    def __call__(self, command: tuple[str, ...], **given: Any) -> Any:
        assert command[:5] == (sys.executable, "-P", "-m", "bootstrap", "--file")
        word = command[8]
        self.words.append(word)
        code, out, errors = self.answer.get(word, (0, "", ""))
        given["stdout"].write(out.encode())
        given["stderr"].write(errors.encode())
        return type("Done", (), {"returncode": code})


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    made = Program()
    monkeypatch.setattr("subprocess.run", made)
    return made


@pytest.fixture
def told() -> list[Message]:
    return []


@pytest.fixture
def scheduled(tmp_path: Path, told: list[Message]) -> Scheduled:
    def tell(to: Notify, folder: Path, message: Message) -> str:
        told.append(message)
        return "webhook: sent"

    times: Callable[[], float] = iter(range(1000, 2000, 5)).__next__
    file = tmp_path / "lakehouse.yaml"
    return Scheduled(file, "demo", "local", State(tmp_path / "state"), Notify(webhook="hook.url"), tell, times)


def test_a_run_is_recorded_with_its_log(scheduled: Scheduled, program: Program, told: list[Message]) -> None:
    program.answer = {"one": (0, "copied\n", "slowly\n")}
    run = scheduled.run(BACKUP)
    assert (run.outcome, run.code, run.seconds) == (OK, 0, 5)
    assert program.words == ["one", "two"]
    assert scheduled.runs.log(run).read_text() == "copied\nslowly\n"
    assert scheduled.runs.log(run).stat().st_mode & 0o077 == 0
    assert scheduled.runs.last("backup") == run
    assert told == []


def test_each_failure_is_told_and_ends_the_run(scheduled: Scheduled, program: Program, told: list[Message]) -> None:
    program.answer = {"one": (1, "", "Error: no space\n")}
    first, run = scheduled.run(BACKUP), scheduled.run(BACKUP)
    assert [(each.outcome, each.code, each.told) for each in (first, run)] == [(FAILED, 1, "webhook: sent")] * 2
    assert program.words == ["one", "one"]
    assert told == [Message("demo, stack local: backup failed (exit code 1)", "Error: no space")] * 2
    assert scheduled.runs.last("backup") == run


def test_drift_is_told_when_it_is_new_other_or_gone(
    scheduled: Scheduled, program: Program, told: list[Message]
) -> None:
    found = [(2, "+ a\n"), (2, "+ a\n"), (2, "+ b\n"), (0, "No drift.\n"), (0, "No drift.\n")]
    for code, text in found:
        program.answer = {"drift": (code, text, "")}
        assert scheduled.run(DRIFTS).outcome == (DRIFT if code else OK)
    assert [(each.subject.partition(": ")[2], each.text) for each in told] == [
        ("what is there is not as lakehouse.yaml says", "+ a"),
        ("what is there is not as lakehouse.yaml says", "+ b"),
        ("what is there is as lakehouse.yaml says again", ""),
    ]


def test_drift_that_nobody_was_told_of_is_told_again(
    scheduled: Scheduled, program: Program, told: list[Message]
) -> None:
    def lose(to: Notify, folder: Path, message: Message) -> str:
        told.append(message)
        return "webhook: not sent, ConnectionError"

    lost = replace(scheduled, tell=lose)
    for of, code, text in ((lost, 2, "+ a\n"), (scheduled, 2, "+ a\n"), (scheduled, 2, "+ a\n"),
                           (lost, 0, ""), (scheduled, 0, ""), (scheduled, 0, "")):  # fmt: skip
        program.answer = {"drift": (code, text, "")}
        of.run(DRIFTS)
    assert [each.subject[-8:] for each in told] == ["aml says"] * 2 + ["ys again"] * 2


def test_a_file_that_is_wrong_is_a_failure_and_no_drift(
    scheduled: Scheduled, program: Program, told: list[Message]
) -> None:
    program.answer = {"drift": (2, "", "Error: no such catalog\n")}
    assert scheduled.run(DRIFTS).outcome == FAILED
    assert [each.text for each in told] == ["Error: no such catalog"]


def test_a_run_that_is_interrupted_says_so(scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scheduled.run(DRIFTS)
    assert [each.outcome for each in scheduled.runs.of("drift")] == [KILLED]
