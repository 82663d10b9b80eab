from __future__ import annotations

import io

import pytest

from bootstrap.cli.reconciler import confirm
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.plan import Plan, Step
from lakehouse.errors import LakehouseError

DROP = Plan((Step(Change("create", "table", "lake", "n.u")), Step(Change("destroy", "table", "lake", "n.t"))))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_asked_before_something_is_destroyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("demo\n"))
    confirm(DROP, "demo", purge=False)
    shown = capsys.readouterr()
    assert shown.out == ""  # a program may read it
    assert shown.err.splitlines()[:2] == ["This will be destroyed:", "- table lake.n.t"]
    assert "Type the lakehouse's name (demo)" in shown.err


@pytest.mark.parametrize("answer", ["y\n", "\n", ""])
def test_another_answer_changes_nothing(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    with pytest.raises(LakehouseError, match="nothing was changed"):
        confirm(DROP, "demo", purge=True)


def test_a_plan_that_destroys_nothing_and_a_pipe_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    confirm(Plan(DROP.steps[:1]), "demo", purge=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    confirm(DROP, "demo", purge=False)
    assert capsys.readouterr().err == ""
