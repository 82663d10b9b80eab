from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bootstrap.cli.main import app
from bootstrap.cli.reconciler import _print_yaml, confirm, drift_text, report, show
from bootstrap.iceberg.evolve import Detail
from bootstrap.pipeline.looked import Looked
from bootstrap.reconciler.apply import Outcome
from bootstrap.reconciler.changes import Change, Diff, Note
from bootstrap.reconciler.objects.namespace import NewNamespace
from bootstrap.reconciler.plan import Plan, Step
from lakehouse.errors import LakehouseError, UsageError

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


LEGEND = "Compared with the file: + exists only in the lakehouse, - only in the file, ~ differs (lakehouse -> file)."
PLAN = "`lakehouse plan` shows what `lakehouse apply` would do about it."


def test_drift_explains_its_signs_first() -> None:
    details = (Detail("+", "column b int"), Detail("-", "column c int"), Detail("~", "column a: int -> long"))
    changes = (Change("create", "table", "lake", "n.t"), Change("update", "table", "lake", "n.u", details))
    *lines, last = drift_text(Diff(changes, unnamed=("table lake.n.v",)))
    assert lines == [
        LEGEND,
        "- table lake.n.t is in the file, but does not exist",
        "~ table lake.n.u differs:",
        "    - column b int",
        "    + column c int",
        "    ~ column a: int -> long",
        "+ table lake.n.v exists, but is not in the file",
        PLAN,
    ]
    assert "`lakehouse import`" in last


def test_drift_names_the_plan_only_if_it_has_something_to_say() -> None:
    assert PLAN not in list(drift_text(Diff(unnamed=("table lake.n.v",))))
    assert "`lakehouse import`" not in "\n".join(drift_text(Diff((Change("create", "table", "lake", "n.t"),))))
    assert PLAN in list(drift_text(Diff(refused=(Note("table lake.n.t", "it cannot be done"),))))
    assert list(drift_text(Diff())) == ["No drift."]


def test_an_apply_names_what_stays_because_a_key_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    notes = tuple(Note(f"table lake.t{n}", "it stays") for n in range(60))
    report(Outcome(stays=notes))
    said = capsys.readouterr()
    assert said.out == "Applied: 0 done, 0 failed, 0 skipped, 0 refused.\n"
    assert said.err.splitlines()[:2] == ["! table lake.t0: it stays", "! table lake.t1: it stays"]
    assert said.err.splitlines()[-1] == "! ... and 10 more that stay"


def test_a_long_location_stays_in_the_line_of_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    location = "s3://warehouse/lake/bronze/" + "x" * 100
    _print_yaml({"location": location})
    assert capsys.readouterr().out == f"location: {location}\n"


def test_a_saved_plan_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "plan.json"
    step = Step(Change("create", "namespace", "lake", "n", (Detail("+", "comment x"),), NewNamespace({})))
    saved.write_text(json.dumps(Plan((step,)).to_json()))
    show(saved)
    assert (
        capsys.readouterr().out
        == "+ namespace lake.n\n    + comment x\nPlan: 1 to create, 0 to change, 0 to destroy.\n"
    )


def test_a_plan_of_the_pipeline_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "plan.json"
    looked = Looked("aws", "w", (("aws_vpc.network_vpc", "create"),), None, 0, "Plan: 1 to add")
    saved.write_text(json.dumps(looked.to_json()))
    show(saved)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"aws: changes, digest {looked.digest}"
    assert shown[1].split() == ["create", "aws_vpc.network_vpc"]
    assert shown[-1] == "Plan: 1 to add"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"infrastructure": 1}'])
def test_what_is_no_plan_is_not_shown(tmp_path: Path, text: str) -> None:
    saved = tmp_path / "plan.json"
    saved.write_text(text)
    with pytest.raises(UsageError, match="is not a saved plan"):
        show(saved)


@pytest.mark.parametrize("words", [["show"], ["shaw", "x"], ["show", "x", "y"]])
def test_other_words_after_plan_are_refused(words: list[str]) -> None:
    done = CliRunner().invoke(app, ["plan", *words])
    assert "Write `lakehouse plan show FILE`" in done.output
    assert done.exit_code == 2
