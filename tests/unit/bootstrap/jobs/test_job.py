from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.jobs.job import Job
from lakehouse.errors import UsageError


def test_a_job_has_its_files_and_arguments(tmp_path: Path) -> None:
    (tmp_path / "daily.py").write_bytes(b"import helper\n")
    (tmp_path / "helper.zip").write_bytes(b"PK\xff")
    job = Job.read(tmp_path / "daily.py", [tmp_path / "helper.zip"], ["--day", "2026-01-14"])
    assert job.name == "daily"
    assert job.files == (("daily.py", b"import helper\n"), ("helper.zip", b"PK\xff"))
    assert job.arguments == ("--day", "2026-01-14")


@pytest.mark.parametrize(
    ("name", "modules", "said"),
    [
        ("none.py", [], "none.py cannot be read: No such file or directory"),
        ("folder.py", [], "folder.py cannot be read: Is a directory"),
        ("job.scala", [], "job.scala is no Python file"),
        ("a job.py", [], 'has " " in it'),
        ("job.py", ["data.csv"], "data.csv cannot be imported: --py-files are .py, .zip, .egg"),
        ("job.py", ["x/job.py"], "Two files of the job have the name job.py"),
    ],
)
def test_what_cannot_run_is_refused(tmp_path: Path, name: str, modules: list[str], said: str) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "x").mkdir()
    for each in ("job.py", "x/job.py", "a job.py", "job.scala", "data.csv"):
        (tmp_path / each).write_text("")
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        Job.read(tmp_path / name, [tmp_path / each for each in modules], [])
