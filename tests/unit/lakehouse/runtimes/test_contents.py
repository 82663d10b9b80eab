"""The check of contents: only if something is up, and it never stops a deploy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakehouse.runtimes import contents
from lakehouse.runtimes.contents import Compared, Look, propose
from lakehouse.runtimes.incarnation import NONE
from lakehouse.runtimes.state import State


def look(program: str, patience: float = 10.0) -> Look:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Look(process, time.monotonic() + patience)


@pytest.mark.parametrize("drift", [True, False])
def test_the_answer_is_the_processs(drift: bool) -> None:
    program = (
        f"import json; print(json.dumps({{'drift': {drift}, 'steps': ['+ table t'], 'lines': ['+ table t', 'Plan']}}))"
    )
    assert look(program).compared() == Compared(drift, ("+ table t",), ("+ table t", "Plan"))


def test_a_stack_that_is_not_up_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    program = 'print(\'{"drift": false, "steps": [], "lines": null}\')'
    assert look(program).compared() == Compared()
    assert capsys.readouterr().err == ""


def test_a_comparison_that_nobody_waits_for_ends() -> None:
    running = look("import time; time.sleep(60)")
    running.end()
    assert running.process.poll() is not None
    ended = look("print(1)")
    ended.process.wait()
    ended.end()


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import sys; print('x'); sys.exit('catalog \"lake\" does not answer')", 'catalog "lake" does not answer'),
        ("print('what?')", "its answer cannot be read"),
        ("import sys; sys.exit(3)", "there is no error message"),
        ("import time; time.sleep(60)", "no answer within"),
    ],
)
def test_no_answer_is_no_drift_and_is_reported(program: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = look(program, 0.5 if "sleep" in program else 10.0).compared()
    assert (found, why in found.failed) == (Compared(failed=found.failed), True)
    reported = capsys.readouterr().err
    assert why in reported
    assert "this plan shows no drift in them" in reported


def test_the_bootstrap_runs_again_for_another_file_and_for_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path)
    first = propose(state, "file", Compared())
    assert first.digest == "file"
    assert first != NONE
    contents.write(tmp_path, first)
    monkeypatch.chdir(tmp_path)
    contents.main(["--state", str(tmp_path)])
    assert propose(state, "file", Compared()) == first, "nothing to do"
    again = propose(state, "file", Compared(drift=True, steps=("+ table t",)))
    assert again != first
    assert str(again).endswith(": + table t"), "Terraform's plan says why"
    assert propose(state, "other", Compared()).digest == "other"
    recorded = {"digest": "file", "start": first.start, "why": "first start"}
    assert json.loads((tmp_path / contents.FILE).read_text()) == recorded
