"""What doctor says of a schedule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bootstrap.doctor.timed import finding
from lakehouse.runtimes.runs import DRIFT, FAILED, OK, Runs
from lakehouse.runtimes.state import State


def test_it_names_a_scheduler_that_is_gone_and_the_logs_of_failed_runs(tmp_path: Path) -> None:
    runs = Runs(State(tmp_path))
    assert finding(["drift"], runs).fix == "`lakehouse deploy` starts the scheduler"
    with runs.serving():
        assert (finding(["drift"], runs).severity, finding(["drift"], runs).found) == ("ok", "drift")
        for outcome, severity in ((FAILED, "warning"), (DRIFT, "ok"), (OK, "ok")):
            run = replace(runs.begin("drift", 1.0), began=2.0, ended=3.0, code=1, outcome=outcome)
            runs.record(run)
            for other in runs.of("drift"):
                if other.id != run.id:
                    (tmp_path / f"schedule/runs/drift/{other.id}.json").unlink()
            found = finding(["drift"], runs)
            assert found.severity == severity
            if severity == "warning":
                assert str(runs.log(run)) in found.cause
                assert found.fix == "`lakehouse schedule run drift` tries again"


def test_it_names_a_run_without_an_end(tmp_path: Path) -> None:
    runs = Runs(State(tmp_path))
    with runs.serving(), runs.alone("backup"):
        run = runs.begin("backup", 1000.0)
        assert finding(["backup"], runs, lambda: 1000.0 + 3600).severity == "ok"
        found = finding(["backup"], runs, lambda: 1000.0 + 30 * 3600)
        assert (found.severity, found.found) == ("warning", "backup has run for 30 hours")
        assert str(runs.log(run)) in found.fix
