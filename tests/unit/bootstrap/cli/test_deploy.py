"""``lakehouse deploy``, ``diff`` and ``destroy`` with a stand-in for the run: what they say, and their exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.cli.main import app
from bootstrap.deploy import run
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.packages import jvm
from lakehouse.runtimes import changes
from lakehouse.runtimes.changes import PlannedChanges
from tests.unit.bootstrap.deploy.test_run import STANDIN, once

README = Path(__file__).parents[4] / "README.md"
FILE = Path(__file__).parents[4] / "lakehouse.yaml"
AWS = Path(__file__).parents[4] / "lakehouses" / "aws-glue.yaml"

Lakehouse = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file and a cdktf.json, in which the stand-in takes the run's place."""
    (tmp_path / "lakehouse.yaml").write_text(FILE.read_text())
    (tmp_path / "cdktf.json").write_text('{"app": "lakehouse synth"}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKEHOUSE_FILE", raising=False)
    monkeypatch.setattr("bootstrap.project.set_up.deployable", lambda *words, stack: None)
    standing(monkeypatch, tmp_path)
    return tmp_path


def test_a_deploy_first_sets_up_what_its_stack_needs(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object, stack: str) -> None:
        raise LakehouseError(f"{stack} needs what cannot be fetched")

    monkeypatch.setattr("bootstrap.project.set_up.deployable", refuse)
    assert "local needs what cannot be fetched" in lakehouse("deploy", expect=1)
    assert not (project / "cdktf.out").exists()


def test_a_first_deploy_on_a_machine_without_java_begins_with_the_set_up(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*words: object, stack: str) -> None:
        raise LakehouseError("there is no network")

    monkeypatch.setattr("bootstrap.project.set_up.deployable", refuse)

    def absent(feature: int) -> None:
        raise jvm.absent(feature)

    monkeypatch.setattr("lakehouse.runtimes.process.place.java", absent)
    assert lakehouse("deploy", expect=1) == "Error: there is no network\n"


def test_a_docker_that_does_not_answer_is_named_before_anything_is_fetched(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.project.set_up.deployable", lambda *words, stack: pytest.fail("fetched"))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    file = project / "lakehouse.yaml"
    file.write_text(file.read_text().replace("runtime: process", "runtime: docker"))
    why = (
        "Docker does not answer at tcp://127.0.0.1:1: connection refused (DOCKER_HOST names an address without a "
        "Docker). Fix: `unset DOCKER_HOST`."
    )
    assert f"Error: {why} Nothing was started." in lakehouse("deploy", expect=1)
    assert f"Error: {why} Nothing was compared." in lakehouse("diff", expect=1)
    assert f"Error: {why} Nothing was stopped." in lakehouse("destroy", "--yes", expect=1)
    assert f"Error: {why}" not in (unread := lakehouse("logs", "trino", expect=1))
    assert "Docker does not answer: connection refused. Install it" in unread
    assert "was never started" not in unread
    assert why in lakehouse("status", expect=1)
    assert not (project / "cdktf.out").exists()


@pytest.mark.parametrize("command", [("deploy",), ("diff",), ("destroy", "--yes")])
def test_another_app_in_the_files_folder_is_not_run(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.delattr("bootstrap.project.set_up.deployable")
    (project / "cdktf.json").write_text('{"app": "npx ts-node main.ts"}')
    said = lakehouse(*command, expect=2)
    assert f"{project}/cdktf.json: its app is 'npx ts-node main.ts', which declares no lakehouse." in said
    assert not (project / ".lakehouse").exists()


def standing(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str) -> None:
    def command(action: str, stack: str) -> list[str]:
        return [sys.executable, str(STANDIN), str(folder), *words]

    monkeypatch.setattr(run, "command", command)


@pytest.fixture
def lakehouse(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lakehouse]:
    streams = sys.stdout, sys.stderr

    def command(*words: str, expect: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            app(list(words), prog_name="lakehouse")
        written = capsys.readouterr()
        assert ended.value.code == expect, written.err
        return written.out + written.err

    yield command
    sys.stdout, sys.stderr = streams


def test_a_deploy_ends_with_what_is_there_and_what_to_do_next(project: Path, lakehouse: Lakehouse) -> None:
    said = lakehouse("deploy")
    assert "trino: starting (engines.trino.memory: 1g -> 2g)" in said
    assert "demo, stack local, is up: 1 of 7 services started, 1 change to the contents" in said
    assert "trino             http://127.0.0.1:8085/ui/" in said
    assert "lakehouse sql -e 'SELECT count(*) FROM lake.bronze.minute_aggs'" in said
    assert 'spark = SparkSession.builder.remote("sc://localhost:15002").getOrCreate()' in said
    (path,) = (project / ".lakehouse").glob("local.deploy.*.log")
    assert f"Log: {path.relative_to(project)}" in said
    assert "Initializing the backend" in path.read_text()


def test_a_deploy_with_nothing_to_do_says_it_in_a_line(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing(monkeypatch, project, "idle")
    lines = lakehouse("deploy").splitlines()
    assert lines[0].startswith("Nothing to do: demo, stack local, is as lakehouse.yaml says (")
    assert len(lines) == 3


def test_a_failed_service_is_named_with_its_last_lines_and_the_log(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing(monkeypatch, project, "fail")
    said = lakehouse("deploy", expect=1)
    assert "Error: trino is not ready: port 8085 did not answer.\nThe end of its log:\n    no room" in said
    assert "Failed: trino." in said
    assert "then run `lakehouse deploy`: it does only what is left" in said
    assert "Log: .lakehouse/local.deploy." in said
    assert "local-exec provisioner error" not in said, "the service's own error says it better"
    assert "then run `lakehouse diff`. `lakehouse doctor`" in lakehouse("diff", expect=1)


def test_a_run_that_ends_without_a_word_is_still_an_error_with_the_disks_state(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "command", lambda action, stack: [sys.executable, "-c", "raise SystemExit(7)"])
    monkeypatch.setattr("bootstrap.operations.disk.explained", lambda target: "The disk is full: 0 MB.")
    for command in (["deploy"], ["diff"], ["destroy", "--yes"]):
        said = lakehouse(*command, expect=1)
        assert "Error: it ended with exit code 7, and said nothing.\n" in said
        assert "The disk is full: 0 MB.\n" in said


def test_secrets_are_in_neither_the_output_nor_the_log(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = project / ".lakehouse" / "local" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "made").write_text("no room")
    standing(monkeypatch, project, "fail")
    said = lakehouse("deploy", expect=1)
    assert "no room" not in said
    assert "********" in said


def test_ctrl_c_says_what_is_up_and_ends_with_130(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing(monkeypatch, project, "wait")
    thread = once((project / "begun").exists, lambda: os.kill(os.getpid(), signal.SIGINT))
    said = lakehouse("deploy", expect=130)
    thread.join()
    assert "Interrupted: Terraform has recorded what was done." in said
    assert "Not up: s3proxy, nessie, spark-master, spark-worker-1, spark-worker-2, spark-connect, trino." in said
    assert "`lakehouse deploy` goes on from here." in said


def test_a_diff_says_why_a_service_starts_again(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "cdktf.out" / "stacks" / "local"
    folder.mkdir(parents=True)
    reasons = {"trino": "engines.trino.memory: 1g -> 2g", "nessie": "first start"}
    contents = ("+ table lake.a.t", "Plan: 1 to create.")
    changes.write(folder, PlannedChanges(reasons, contents, renewed=("spark-connect",)))
    line = "  # terraform_data.process_trino_D8BE3766 (process/trino) must be replaced"
    monkeypatch.setattr(run, "command", lambda action, stack: [sys.executable, "-c", f"print({line!r})"])
    said = lakehouse("diff", expect=2)
    assert "~ trino starts again: engines.trino.memory: 1g -> 2g" in said
    assert "+ nessie starts: first start" in said
    assert "~ spark-connect gets a renewed certificate, and goes on" in said
    assert "s3proxy, spark-master, spark-worker-1, spark-worker-2: no change" in said
    assert "  + table lake.a.t\n  Plan: 1 to create." in said
    found = json.loads(lakehouse("diff", "--json", expect=2).partition("\n}")[0] + "\n}")
    assert found["services"] == reasons
    assert found["resources"] == [{"address": "terraform_data.process_trino_D8BE3766", "action": "replace"}]


def test_the_readme_shows_a_diff(project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project / "cdktf.out" / "stacks" / "local"
    folder.mkdir(parents=True)
    contents = ("+ namespace lake.gold", "Plan: 1 to create, 0 to change, 0 to destroy.")
    changes.write(folder, PlannedChanges({"trino": "engines.trino.memory: 1g -> 2g"}, contents))
    line = "  # terraform_data.process_trino_D8BE3766 (process/trino) must be replaced"
    monkeypatch.setattr(run, "command", lambda action, stack: [sys.executable, "-c", f"print({line!r})"])
    [shown] = re.findall(r"^```text\n(Services of .*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert named(lakehouse("diff", expect=2)).strip() == named(shown).strip()


def named(text: str) -> str:
    """The text with one name for its log."""
    return re.sub(r"\.diff\.\S+\.log", ".diff.log", text)


def test_a_diff_without_a_change(project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    standing(monkeypatch, project, "idle")
    assert "Nothing to do: demo, stack local, is as lakehouse.yaml says." in lakehouse("diff")


def test_contents_that_were_not_compared_are_not_called_unchanged(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "cdktf.out" / "stacks" / "local"
    folder.mkdir(parents=True)
    changes.write(folder, PlannedChanges(failed="no answer within 20 s"))
    standing(monkeypatch, project, "idle")
    known = "The contents were not compared with the file: no answer within 20 s. `lakehouse plan` compares them"
    said = lakehouse("diff", expect=1)
    assert known in said
    assert "Nothing to do" not in said
    assert known in lakehouse("deploy")
    line = "  # terraform_data.process_trino_D8BE3766 (process/trino) must be replaced"
    monkeypatch.setattr(run, "command", lambda action, stack: [sys.executable, "-c", f"print({line!r})"])
    assert f"Contents:\n  {known}" in lakehouse("diff", expect=2)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("", 1), ("y\n", 0), ("yes\n", 0)])
def test_a_destroy_asks_on_a_terminal(
    answer: str, code: int, project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    said = lakehouse("destroy", expect=code)
    assert "Stop the services of demo, stack local? Their data stays. [y/N]" in said
    assert ("Nothing was stopped." in said) == (code == 1)
    assert ("no process and no port is left" in said) == (code == 0)


def test_without_a_terminal_a_destroy_needs_yes(project: Path, lakehouse: Lakehouse) -> None:
    assert "add --yes" in lakehouse("destroy", expect=2)
    assert "is stopped" in lakehouse("destroy", "--yes")


def test_the_data_goes_with_the_logs(project: Path, lakehouse: Lakehouse) -> None:
    lakehouse("destroy", "--yes")
    assert list((project / ".lakehouse").glob("*.log")) != []
    lakehouse("destroy", "--data", "--yes")
    assert list(project.glob(".lakehouse/*")) == []
    assert "local is not there: nothing to delete." in lakehouse("destroy", "--data", "--yes")


@pytest.mark.parametrize(
    ("error", "code"), [(LakehouseError("there are no credentials"), 1), (UsageError("another account. Use others"), 2)]
)
@pytest.mark.parametrize(
    ("action", "so"),
    [("deploy", "Nothing was started."), ("diff", "Nothing was compared."), ("destroy", "Nothing was stopped.")],
)
def test_credentials_of_aws_are_looked_at_first(
    project: Path,
    lakehouse: Lakehouse,
    monkeypatch: pytest.MonkeyPatch,
    error: LakehouseError,
    code: int,
    action: str,
    so: str,
) -> None:
    def account(region: str, stack: str) -> str:
        raise error

    (project / "lakehouse.yaml").write_text(AWS.read_text())
    monkeypatch.setattr("bootstrap.session.aws.account", account)
    words = [action] if action == "diff" else [action, "--yes"]
    assert f"{error}. {so}" in lakehouse("--stack", "aws", *words, expect=code)


def test_a_stack_in_aws_is_asked_for_and_counts_resources(
    project: Path, lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "lakehouse.yaml").write_text(AWS.read_text())
    monkeypatch.setattr("bootstrap.session.aws.account", lambda region, stack: "123456789012")
    assert "add --yes" in lakehouse("--stack", "aws", "deploy", expect=2)
    standing(monkeypatch, project, "cloud")
    said = lakehouse("--stack", "aws", "deploy", "--yes")
    assert "resources: 1 of 3" in said
    assert "is deployed: 1 resource changed" in said
