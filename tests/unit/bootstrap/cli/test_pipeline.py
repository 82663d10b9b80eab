"""``python -m bootstrap.cli.pipeline``: exit codes, and a workflow's outputs and summary."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.cli import pipeline as program
from bootstrap.pipeline.looked import Looked
from bootstrap.pipeline.pipeline import SUMMARY, Pipeline
from bootstrap.pipeline.steps import PipelineStep, Ran, StepFailed, processes, run
from bootstrap.remote.errors import StalePlan
from lakehouse.errors import LakehouseError
from tests.synth.synthesised import LOCAL
from tests.unit.mixed import mixed


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Looked:
    """A plan with something to do."""
    found = Looked("local", "w", (("a.b", "create"),), None, 0)

    def plan(self: Pipeline, *, check: bool) -> Looked:
        self.notes.mkdir(parents=True)
        (self.notes / SUMMARY).write_text("the summary\n")
        return found

    monkeypatch.setattr(Pipeline, "plan", plan)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize(("option", "code"), [([], 0), (["--detailed-exitcode"], 2)])
def test_a_plan_with_changes(looked: Looked, option: list[str], code: int) -> None:
    assert program.main(["plan", "local", "--file", str(LOCAL), *option]) == code


def test_a_workflow_gets_outputs_and_a_summary(looked: Looked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
    program.main(["plan", "local", "--file", str(LOCAL)])
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == f"changes=true\ndigest={looked.digest}\n"
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text() == "the summary\n"


def test_errors_are_a_line_and_a_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stale(self: Pipeline, approved: str | None) -> int:
        raise StalePlan(f"stale: {approved}")

    monkeypatch.setattr(Pipeline, "apply", stale)
    monkeypatch.chdir(tmp_path)
    assert program.main(["apply", "local", "--file", str(LOCAL), "--approved", "abc"]) == 1
    assert capsys.readouterr().err == "Error: stale: abc\n"
    assert program.main(["apply", "local"]) == 2  # no lakehouse.yaml here


def _python(code: str, *, loud: bool = True) -> PipelineStep:
    return PipelineStep("a step", (sys.executable, "-c", code), loud=loud)


@pytest.mark.parametrize(("key", "turned"), [("", False), (", allow_destroy: true", True)])
def test_the_key_of_the_stack_comes_from_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, turned: bool
) -> None:
    seen = []

    def drift(self: Pipeline) -> int:
        seen.append(self.allow_destroy)
        return 0

    monkeypatch.setattr(Pipeline, "drift", drift)
    monkeypatch.chdir(tmp_path)
    Path("lakehouse.yaml").write_text(
        "name: demo\nbuckets: {warehouse: {}}\ncatalogs: {lake: {location: s3://warehouse/lake}}\nstacks:\n"
        f"  aws: {{region: eu-west-1, store: s3, catalogs: {{lake: glue}}{key}}}\n"
    )
    assert program.main(["drift", "aws"]) == 0
    assert seen == [turned]


@pytest.mark.parametrize("loud", [True, False])
def test_a_step_runs_as_a_process(tmp_path: Path, capfd: pytest.CaptureFixture[str], loud: bool) -> None:
    runner = processes(tmp_path, tmp_path / "f.yaml", None)
    ran = run(_python("import os; print(os.environ['LAKEHOUSE_FILE'], os.getcwd())", loud=loud), runner)
    assert ran.output == f"{tmp_path / 'f.yaml'} {tmp_path}\n"
    assert (ran.output in capfd.readouterr().out) is loud


def test_a_failed_step_shows_the_end_of_its_output(tmp_path: Path) -> None:
    runner = processes(tmp_path, tmp_path / "f.yaml", None)
    with pytest.raises(StepFailed, match="ended with 3") as failed:
        run(_python("import sys; print('why', file=sys.stderr); sys.exit(3)", loud=False), runner)
    assert str(failed.value).endswith("why")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LakehouseError, match="make setup-pipeline"):
        run(PipelineStep("a step", ("no-such-program",)), processes(tmp_path, tmp_path, None))


def test_secrets_are_blacked_out(tmp_path: Path) -> None:
    from bootstrap.output import Redactor

    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("s3cr3t-value")
    for loud in (True, False):
        step = _python("print('it is s3cr3t-value')", loud=loud)
        ran: Ran = processes(tmp_path, tmp_path, Redactor(tmp_path / "secrets"))(step)
        assert ran.output == "it is ********\n"


def test_make_runs_the_same_steps() -> None:
    root = LOCAL.parent
    for target, expected in (
        ("pipeline-plan", "-m bootstrap.cli.pipeline plan there --no-checks"),
        ("pipeline-apply", "-m bootstrap.cli.pipeline apply there --approved abc"),
        ("pipeline-drift", "-m bootstrap.cli.pipeline drift there"),
    ):
        command = ["make", "--dry-run", target, "STACK=there", "CHECKS=no", "APPROVED=abc"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert expected in done.stdout
        # Packages of the stack that is worked on, and no others; no class archives, no development packages.
        assert "-m bootstrap.cli.packages fetch --stack there" in done.stdout
        assert (
            re.findall(
                r"bootstrap\.cli\.packages fetch$|runtimes\.training|packages\.locked develop", done.stdout, re.M
            )
            == []
        )


def test_the_app_declares_a_stack_in_aws_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the file's other stacks need is not fetched for it."""
    monkeypatch.chdir(tmp_path)
    for stack, expected in (("cloud", "cloud"), ("local", "None")):
        runner = program._pipeline(mixed(tmp_path), stack).runner
        ran = run(_python("import os; print(os.environ.get('LAKEHOUSE_ONLY_STACK'))"), runner)
        assert ran.output == f"{expected}\n"
