"""The step that stops applications of EMR Serverless runs before Terraform changes or deletes one, and only then."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lakehouse.aws.applications import DEPLOYED, step
from lakehouse.text.terraform import rendered
from tests.synth.aws.conftest import synthesise

_FILE = """
name: demo
buckets: {warehouse: {}}
catalogs: {lake: {location: s3://warehouse/lake, namespaces: {sales: {}}}}
engines: {spark: {workers: 2, properties: {spark.sql.shuffle.partitions: "8"}}}
access:
  roles: {reader: {grants: {lake: [read]}}}
  principals: {bi: {roles: [reader]}}
stacks:
  same: {region: eu-west-1, store: s3, catalogs: {lake: glue}}
  release: {region: eu-west-1, store: s3, catalogs: {lake: glue}, emr_release: emr-7.10.0}
  network: {region: eu-west-1, store: s3, catalogs: {lake: glue}, cidr: 10.20.0.0/16}
  zones: {region: eu-west-1, store: s3, catalogs: {lake: glue}, zones: 2}
"""
_TERRAFORM = shutil.which("terraform")


def _digests(folder: Path, text: str) -> dict[str, str]:
    """By stack. There is one principal, so one application."""
    folder.mkdir()
    (folder / "lakehouse.yaml").write_text(text)
    found = {}
    for stack, content in synthesise(folder, folder / "lakehouse.yaml").items():
        [triggers] = content["resource"]["terraform_data"]["stopped"]["triggers_replace"]
        [(name, settings)] = json.loads(triggers).items()
        assert name == f"demo-{stack}-bi"
        found[stack] = settings
    return found


def test_every_change_of_an_application_is_a_change_of_the_step_and_nothing_else_is(tmp_path: Path) -> None:
    was = _digests(tmp_path / "was", _FILE)
    changed = _FILE.replace("[read]", "[write]")  # no setting of an application
    for old, new in (("emr-7.10.0", "emr-spark-8.0.0"), ("10.20.", "10.30."), ("zones: 2", "zones: 3")):
        changed = changed.replace(old, new)
    now = _digests(tmp_path / "now", changed)
    assert [stack for stack in was if was[stack] == now[stack]] == ["same"]
    larger = _digests(tmp_path / "larger", _FILE.replace("workers: 2", "workers: 3"))
    assert larger["same"] != was["same"]


@pytest.mark.skipif(_TERRAFORM is None, reason="needs Terraform")
def test_terraform_runs_it_before_it_changes_or_deletes(tmp_path: Path) -> None:
    """With stand-ins for the applications; the step's own command is another here."""
    assert _TERRAFORM
    log = tmp_path / "log"

    def deploy(**applications: str) -> None:
        own = step("eu-west-1", applications)
        own["command"] = f'echo "step ${DEPLOYED}" >> {log}'
        resources: dict[str, Any] = {
            name: {
                "input": value,
                "provisioner": [{"local-exec": {"when": "destroy", "command": f"echo deleted {name} >> {log}"}}],
            }
            for name, value in applications.items()
        }
        resources["stopped"] = {
            "triggers_replace": [json.dumps(applications, sort_keys=True, separators=(",", ":"))],
            "depends_on": [f"terraform_data.{name}" for name in applications],
            "provisioner": [{"local-exec": own}],
        }
        (tmp_path / "main.tf.json").write_text(json.dumps(rendered({"resource": {"terraform_data": resources}})))
        _run("apply", "-auto-approve", "-no-color")

    def _run(*arguments: str) -> str:
        environment = {key: value for key, value in os.environ.items() if key != "TF_CLI_CONFIG_FILE"}
        done = subprocess.run(
            [_TERRAFORM, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    _run("init")
    deploy(bi="1", etl="1")
    assert not log.exists()
    deploy(bi="1", etl="1")
    assert not log.exists()
    deploy(bi="2")
    assert log.read_text().splitlines() == ['step {"bi":"1","etl":"1"}']
