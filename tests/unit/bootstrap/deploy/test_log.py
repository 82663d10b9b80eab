"""What is read of the log of cdktf and Terraform."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from bootstrap.deploy import log
from bootstrap.deploy.log import Counted, Waiting
from lakehouse.errors import LakehouseError

FAILED = """\
local  terraform_data.process_trino_D8BE3766: Creating...
local  ╷
       │ Error: local-exec provisioner error
       │
       │   with terraform_data.process_preflight_FEF9E082,
       │ Error running command: exit status 1. Output: Error: port 8085 is taken
       ╵
""".splitlines()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("       \x1b[1mPlan:\x1b[0m 10 to add, 2 to change, 3 to destroy.", [Counted(of=15)]),
        ("Plan: 1 to import, 1 to add, 0 to change, 0 to destroy.", [Counted(of=1)]),
        ("aws  aws_s3_bucket.store_warehouse_bucket: Creation complete after 3s [id=x]", [Counted(done=1)]),
        ('aws  aws_s3_bucket.store["a"]: Destruction complete after 0s', [Counted(done=1)]),
        ("aws  aws_s3_bucket.store_warehouse_bucket: Still creating... [10s elapsed]", []),
        ("terraform_data.process_trino_D8BE3766 (local-exec): trino is ready after 5 s", []),
        (
            "terraform.local.tfstate is locked by another deploy (pid 7): waiting until it ends.",
            [Waiting("terraform.local.tfstate is locked by another deploy (pid 7): waiting until it ends.")],
        ),
    ],
)
def test_what_a_line_says(line: str, said: list[object]) -> None:
    assert list(log.said(line)) == said


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("docker_container.docker_spark-worker-1_28D32CF3: Creating...", ["started"]),
        ("docker_container.docker_spark-worker-1_28D32CF3: Destroying... [id=x]", ["stopping"]),
        ("docker_container.docker_spark-worker-1_28D32CF3: Destruction complete after 1s", ["stopped"]),
    ],
)
def test_containers_tell_by_terraforms_lines(line: str, kinds: list[str]) -> None:
    found = [each for each in log.said(line) if not isinstance(each, (Counted, Waiting))]
    assert [each.kind for each in found] == kinds
    assert {each.name for each in found} == {"spark-worker-1"}


def test_the_error_is_shown_without_frames() -> None:
    errors = log.errors(FAILED)
    assert errors[0] == "Error: local-exec provisioner error"
    assert errors[-1] == "Error running command: exit status 1. Output: Error: port 8085 is taken"
    assert not any("│" in line for line in errors)


def test_without_an_error_the_end_of_the_log_is_shown() -> None:
    assert log.errors([str(number) for number in range(100)], most=2) == ["98", "99"]


def test_what_terraform_plans() -> None:
    lines = [
        "  # terraform_data.process_trino_D8BE3766 (process/trino) must be replaced",
        "  # aws_s3_bucket.store_warehouse_bucket will be created",
        "  # aws_glue_catalog_database.x will be updated in-place",
        "  # aws_glue_catalog_database.y will be destroyed",
        "  # (because y is not in configuration)",
    ]
    assert log.planned(lines) == [
        ("terraform_data.process_trino_D8BE3766", "replace"),
        ("aws_s3_bucket.store_warehouse_bucket", "create"),
        ("aws_glue_catalog_database.x", "change"),
        ("aws_glue_catalog_database.y", "destroy"),
    ]


def test_a_log_is_private_and_old_ones_are_removed(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    old = [log.place(file, "local") / f"local.deploy.{number}.log" for number in range(12)]
    log.place(file, "local").mkdir(parents=True)
    for number, path in enumerate(old):
        path.touch()
        os.utime(path, (number, number))
    made = log.create(file, "local", "deploy")
    assert made.stat().st_mode & 0o777 == 0o600
    assert log.kept(file, "local") == [*old[3:], made]
    assert log.create(file, "local", "deploy") != made, "of two in the same second"
    assert not (tmp_path / ".lakehouse" / "local").exists(), "the first deploy must find no state folder"


def test_secrets_are_blacked_out_in_a_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("key=tiger\n")
    log.clean(path, lambda text: text.replace("tiger", "***"))
    assert path.read_text() == "key=***\n"


def test_the_log_of_a_killed_run_is_cleaned_by_the_next_and_that_of_a_running_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "lakehouse.yaml"
    killed, running = (log.create(file, "local", "deploy") for _ in range(2))
    killed.write_text("key=tiger\n")
    os.utime(killed, (1, 1))
    with log.written(running) as out:
        out.write(b"key=tiger\n")
        out.flush()
        child = subprocess.Popen(["sleep", "60"], stdout=out)
    try:
        log.clean_former(file, "local", lambda text: text.replace("tiger", "***"))
        assert (killed.read_text(), running.read_text()) == ("key=***\n", "key=tiger\n")
        assert log.kept(file, "local") == [killed, running]
    finally:
        child.kill()
        child.wait()
    log.clean_former(file, "local", lambda text: text.replace("tiger", "***"))
    assert running.read_text() == "key=***\n"


def test_a_log_that_cannot_be_written_is_an_error_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run would fail, and its only words would be lost on the full disk."""
    file = tmp_path / "lakehouse.yaml"
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=log._ROOM - 1))
    with pytest.raises(LakehouseError, match=r"cannot be written to .*\.lakehouse: No space left on device"):
        log.create(file, "local", "deploy")
    assert list((tmp_path / ".lakehouse").iterdir()) == []
    monkeypatch.undo()
    assert log.create(file, "local", "deploy").is_file()
    with pytest.raises(LakehouseError, match="cannot be written to .*: Not a directory"):
        log.create(log.kept(file, "local")[0] / "lakehouse.yaml", "local", "deploy")
