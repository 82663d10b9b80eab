"""``lakehouse schedule`` on the records of a state folder, without a lakehouse."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.session.target import find
from lakehouse.runtimes import owner
from lakehouse.runtimes.runs import OK, Runs
from tests.unit.bootstrap.cli.test_main import lakehouse


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr("sys.stderr", sys.stderr)


@pytest.fixture
def scheduled(file: Path) -> Path:
    text = file.read_text().rstrip().removesuffix("}")
    file.write_text(text + ', schedule: {drift: "0 4 * * *", backup: {at: "30 1 * * *", to: backups}}}\n')
    return file


@pytest.fixture
def deployed(scheduled: Path) -> Path:
    local = find(scheduled, "local").local
    owner.mark(local.state, local.claim)
    return scheduled


def test_a_stack_that_was_never_deployed_stays_without_a_folder(
    scheduled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lakehouse("-f", str(scheduled), "schedule", "run", "drift", expect=2)
    assert "was never deployed" in capsys.readouterr().err
    lakehouse("-f", str(scheduled), "schedule", "list", expect=1)
    assert not (scheduled.parent / ".lakehouse/local/schedule").exists()


def test_tasks_are_listed_with_their_next_time_and_their_last_run(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Runs(find(deployed, "local").local.state)
    lakehouse("-f", str(deployed), "schedule", "list", expect=1)
    said = capsys.readouterr().out
    assert "never ran" in said
    assert "The scheduler does not run: `lakehouse deploy` starts it." in said
    runs.record(replace(runs.begin("drift", 1_700_000_000.0), ended=1_700_000_002.5, code=0, outcome=OK))
    with runs.serving():
        lakehouse("-f", str(deployed), "schedule", "list", "--json", expect=0)
    found = json.loads(capsys.readouterr().out)
    assert (found["scheduler"], found["time_zone"]) == (True, "UTC")
    assert [each["task"] for each in found["tasks"]] == ["backup", "drift"]
    assert found["tasks"][0]["next"].endswith("T01:30:00+00:00")
    assert found["tasks"][1]["last"]["outcome"] == "ok"
    lakehouse("-f", str(deployed), "schedule", "history")
    said = capsys.readouterr().out
    assert "2023-11-14 22:13:20" in said
    assert "2.5" in said
    lakehouse("-f", str(deployed), "schedule", "history", "backup", "--json")
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(("code", "ends", "word"), [(0, 0, "ok"), (2, 2, "drift"), (1, 1, "failed")])
def test_a_task_is_run_now_and_recorded(
    code: int, ends: int, word: str, deployed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    def program(command: tuple[str, ...], **given: Any) -> Any:
        assert command[-1] == "drift"
        given["stdout"].write(b"+ a\n")
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr("subprocess.run", program)
    lakehouse("-f", str(deployed), "schedule", "run", "drift", expect=ends)
    assert f"+ a\ndrift: {word} after 0 s" in capsys.readouterr().out
    last = Runs(find(deployed, "local").local.state).last("drift")
    assert last is not None
    assert (last.outcome, last.code) == (word, code)


def test_what_the_schedule_has_not_is_refused(deployed: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(deployed), "schedule", "run", "metadata", expect=2)
    assert 'has no task "metadata"; it has backup, drift' in capsys.readouterr().err


def test_a_stack_without_a_schedule_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lakehouse("-f", str(file), "schedule", "list", expect=2)
    assert "has no `schedule`" in capsys.readouterr().err
