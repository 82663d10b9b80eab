"""What the command `run` hands on, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from bootstrap.cli.main import app
from bootstrap.jobs import cluster, emr
from bootstrap.jobs.job import Job
from bootstrap.session.target import Target
from tests.synth.synthesised import AWS


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Job]]:
    """The stacks and jobs that were run."""
    found: list[tuple[str, Job]] = []

    def ran(target: Target, job: Job, out: IO[str], log: IO[str]) -> int:
        found.append((target.stack, job))
        return 7

    monkeypatch.setattr(cluster, "run", ran)
    return found


def test_a_job_with_options_of_its_own(file: Path, tmp_path: Path, seen: list[tuple[str, Job]]) -> None:
    (tmp_path / "job.py").write_text("pass")
    command = ["--file", str(file), "run", str(tmp_path / "job.py"), "--stack", "local", "--", "--stack", "mine"]
    assert CliRunner().invoke(app, command).exit_code == 7
    [(stack, job)] = seen
    assert stack == "local"
    assert job.arguments == ("--stack", "mine")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.py"], "Error: none.py cannot be read: No such file or directory."),
        (["job.py", "--as", "bi"], "Error: --as: a job of stacks.local, which is not in AWS, has the stack's own keys"),
        (["job.py", "--stack", "other"], 'there is no stack "other" that'),
    ],
)
def test_what_is_refused(
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seen: list[tuple[str, Job]],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text("pass")
    done = CliRunner().invoke(app, ["--file", str(file), "run", *words])
    assert done.exit_code == 2
    assert said in done.output
    assert seen == []


def test_in_aws_it_runs_as_a_principal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[tuple[str, Job]]
) -> None:
    def ran(target: Target, job: Job, principal: str | None, out: IO[str], log: IO[str]) -> int:
        seen.append((f"{target.stack} as {principal}", job))
        return 3

    monkeypatch.setattr(emr, "run", ran)
    (tmp_path / "job.py").write_text("pass")
    command = ["--file", str(AWS), "--stack", "aws", "run", str(tmp_path / "job.py"), "--as", "etl"]
    assert CliRunner().invoke(app, command).exit_code == 3
    assert [stack for stack, _ in seen] == ["aws as etl"]
