"""The CDK app's question about the contents: the answer is one line of JSON, or one line with the error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap.cli import look
from bootstrap.reconciler.changes import Change, Note
from bootstrap.reconciler.plan import Plan, Step
from bootstrap.remote.errors import Unreachable
from lakehouse.runtimes import contents
from lakehouse.runtimes.incarnation import Incarnation, record
from lakehouse.runtimes.state import State

NOTE = Note("table lake.a.t", "long cannot become int")


@pytest.mark.parametrize(
    ("plan", "found"),
    [
        (Plan(), {"drift": False, "steps": [], "lines": ["No changes."]}),
        (
            Plan((Step(Change("update", "table", "lake", "a.t")),)),
            {
                "drift": True,
                "steps": ["~ table lake.a.t"],
                "lines": ["~ table lake.a.t", "Plan: 0 to create, 1 to change, 0 to destroy."],
            },
        ),
        (
            Plan((), (NOTE,)),
            {
                "drift": True,
                "steps": [f"refused: {NOTE}"],
                "lines": [f"! refused: {NOTE}", "Nothing can be done until the file is fixed."],
            },
        ),
    ],
)
def test_an_apply_with_something_to_do_or_to_refuse_is_drift(
    plan: Plan,
    found: dict[str, object],
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(look, "_is_up", lambda *_: True)
    monkeypatch.setattr(look, "connect", _connect)
    monkeypatch.setattr(look, "make_plan", lambda lakehouse, connections: plan)
    assert look.main(["--file", str(file), "--stack", "local"]) == 0
    assert json.loads(capsys.readouterr().out) == found


@pytest.mark.parametrize("error", [Unreachable("catalog lake", "http://x", "refused\nmore"), ValueError("x\ny")])
def test_what_fails_is_one_line(
    error: Exception, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(path: Path, stack: str) -> None:
        raise error

    monkeypatch.setattr(look, "_is_up", lambda *_: True)
    monkeypatch.setattr(look, "connect", fail)
    assert look.main(["--file", str(file), "--stack", "local"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_only_what_was_bootstrapped_and_listens_is_compared(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lakehouse.packages.java", lambda feature: Path(f"/java-{feature}/bin/java"))
    monkeypatch.setattr(look, "connect", _connect)
    monkeypatch.setattr(look, "make_plan", lambda lakehouse, connections: Plan())
    monkeypatch.setattr(look, "is_open", lambda port, host: True)

    def lines(stack: str = "local") -> object:
        assert look.main(["--file", str(file), "--stack", stack]) == 0
        return json.loads(capsys.readouterr().out)["lines"]

    assert lines() is None
    record(State(file.parent / ".lakehouse" / "local"), contents.NAME, Incarnation("a" * 12, "1"))
    assert lines() == ["No changes."]
    assert lines("another") is None
    monkeypatch.setattr(look, "is_open", lambda port, host: False)
    assert lines() is None


def _connect(path: Path, stack: str) -> object:
    from bootstrap.remote.connections import Connections, StoreConnection

    return None, Connections(StoreConnection("http://127.0.0.1:1", "us-east-1"), {})
