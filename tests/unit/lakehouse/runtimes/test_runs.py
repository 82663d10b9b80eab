"""The records of runs: in order, whole, and honest about what was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.runs import FAILED, KILLED, OK, RUNNING, Runs, families
from lakehouse.runtimes.state import State
from lakehouse.text.metrics import text

HOLD = """
import sys, time
from pathlib import Path
from lakehouse.runtimes.runs import Runs
from lakehouse.runtimes.state import State
runs = Runs(State(Path(sys.argv[1])))
with runs.alone("backup"):
    runs.begin("backup", 5.0)
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def test_runs_come_in_their_order_and_others_cannot_read_them(state: State) -> None:
    runs = Runs(state)
    for at in (10.0, 9.0, 11.5):  # the clock was set back in between
        run = runs.begin("drift", at)
        runs.record(replace(run, ended=at + 2, code=0, outcome=OK))
    assert [each.began for each in runs.of("drift")] == [10.0, 9.0, 11.5]
    last = runs.last("drift")
    assert last is not None
    assert (last.seconds, last.code, last.outcome) == (2.0, 0, OK)
    assert runs.tasks() == ["drift"]
    assert runs.last("backup") is None
    (record,) = (state.root / "schedule/runs/drift").glob(f"{last.id}.json")
    assert record.stat().st_mode & 0o077 == 0


def test_old_runs_go_with_their_logs(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.runtimes.runs._KEPT", 2)
    runs = Runs(state)
    for at in range(4):
        run = runs.begin("drift", float(at))
        runs.log(run).touch()
        runs.record(replace(run, ended=at + 1.0, code=0, outcome=OK))
    assert [each.began for each in runs.of("drift")] == [2.0, 3.0]
    assert len(list((state.root / "schedule/runs/drift").glob("*.log"))) == 2


def test_a_run_in_progress_keeps_others_out_and_a_killed_one_does_not(state: State) -> None:
    runs = Runs(state)
    with subprocess.Popen([sys.executable, "-c", HOLD, state.root], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"begun\n"
        assert [each.outcome for each in runs.of("backup")] == [RUNNING]
        with pytest.raises(LakehouseError, match="backup runs already"), runs.alone("backup"):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    assert [each.outcome for each in runs.of("backup")] == [KILLED]
    assert 'last_run_failed{task="backup"} 1.0' in "\n".join(text(families(state)))
    with runs.alone("backup"):
        pass


def test_a_damaged_record_hides_no_other(state: State) -> None:
    runs = Runs(state)
    runs.begin("drift", 1.0)
    (state.root / "schedule/runs/drift/0.json").write_text("{")
    assert len(runs.of("drift")) == 1


def test_the_metrics_say_whether_the_last_run_failed_and_whether_anybody_runs_tasks(state: State) -> None:
    runs = Runs(state)
    assert list(text(families(state)))[-1] == "lakehouse_scheduler_up 0.0"
    for at, outcome in ((1.0, OK), (2.0, FAILED)):
        runs.record(replace(runs.begin("drift", at), ended=at + 3, code=0, outcome=outcome))
    with runs.serving():
        assert runs.served()
        found = "\n".join(text(families(state)))
    assert "lakehouse_scheduler_up 1.0" in found
    assert 'lakehouse_schedule_last_run_failed{task="drift"} 1.0' in found
    assert 'lakehouse_schedule_last_run_seconds{task="drift"} 3.0' in found
    assert not runs.served()
