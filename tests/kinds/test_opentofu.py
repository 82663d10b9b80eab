"""A machine without Terraform: OpenTofu is built, and deploys. Other tests use this machine's Terraform, if it has one.

Only a store and a catalog. The build takes some minutes, once for each cache. What a stack in AWS needs of Terraform
1.11 is tried without AWS.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakehouse.packages import cached, terraform
from tests import moto
from tests.integration.deployment import BIN, Deployment, ending
from tests.integration.findings import doctor
from tests.synth.synthesised import AWS, stacks

pytestmark = [pytest.mark.integration, pytest.mark.timeout(2400)]

NAMES = ("terraform", "tofu")


@dataclass(frozen=True)
class WithoutTerraform(Deployment):
    """PATH has everything of this machine, without a terraform or a tofu. cdktf deploys, which looks for one."""

    def terraform(self, action: str, code: int | None = 0) -> str:
        return self.by_cdktf(action, code)

    def _environment(self) -> dict[str, str]:
        found = super()._environment()
        found.pop(terraform.VARIABLE, None)
        folders = [self._without(Path(each), number) for number, each in enumerate(found["PATH"].split(os.pathsep))]
        return found | {"PATH": os.pathsep.join(folders)}

    def _without(self, folder: Path, number: int) -> str:
        """The folder; a copy of links if it has one of these programs."""
        if not any((folder / name).exists() for name in NAMES):
            return str(folder)
        copy = self.folder.parent / f"path-{number}"
        if not copy.exists():
            copy.mkdir()
            for each in folder.iterdir():
                if each.name not in NAMES:
                    (copy / each.name).symlink_to(each)
        return str(copy)


@pytest.fixture(scope="module")
def by_tofu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithoutTerraform]:
    deployment = WithoutTerraform.make(tmp_path_factory.mktemp("opentofu") / "a lakehouse", {("engines",): {}})
    assert isinstance(deployment, WithoutTerraform)
    deployment.fetch()
    deployment.run(sys.executable, "-m", "offline.terraform", timeout=2000)
    with ending(deployment):
        deployment.deploy()
        yield deployment


def test_the_state_and_doctor_say_what_deployed(by_tofu: WithoutTerraform) -> None:
    product, _, version = terraform.PACKAGE.partition("-")
    (state,) = by_tofu.folder.glob("terraform.*.tfstate")
    assert json.loads(state.read_text())["terraform_version"] == version
    found = doctor(by_tofu, code=0)["terraform"]
    assert (found["severity"], found["found"]) == ("ok", f"OpenTofu {version}")
    assert cached.location(terraform.PACKAGE).name == product


def test_the_pipeline_reads_its_plans(by_tofu: WithoutTerraform) -> None:
    by_tofu.run(sys.executable, "-m", "bootstrap.cli.pipeline", "drift", "local")  # ends with 2 if there is any


def test_settings_that_are_not_there_are_one_message(by_tofu: WithoutTerraform) -> None:
    missing = by_tofu.folder / "no-such-terraformrc"
    output = by_tofu.run("env", f"TF_CLI_CONFIG_FILE={missing}", str(BIN / "cdktf"), "diff", "local")
    assert "No changes." in output
    assert [line for line in output.splitlines() if missing.name in line or "CLI configuration" in line] == [
        f"warning: TF_CLI_CONFIG_FILE names {missing}, which does not exist: Terraform runs without settings."
    ]


def _tofu(folder: Path, *words: str, env: dict[str, str], code: int) -> str:
    command = [str(cached.location(terraform.PACKAGE)), *words, "-no-color", "-input=false"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.usefixtures("by_tofu")
@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("ephemeral", "hashicorp/aws was not found in any of the search locations"),  # it has read the whole stack
        ("ephemerals", 'No argument or block type is named "ephemerals"'),
    ],
)
def test_ephemeral_blocks_are_understood(block: str, problem: str, tmp_path: Path) -> None:
    (stack,) = (each.document for each in stacks(AWS).values() if "ephemeral" in each.document)
    document = {block if key == "ephemeral" else key: value for key, value in stack.items()}
    (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
    (tmp_path / "none").mkdir()
    environment = moto.environment("http://127.0.0.1:1", "eu-west-1")
    assert problem in _tofu(tmp_path, "init", "-backend=false", "-plugin-dir=none", env=environment, code=1)


@pytest.mark.usefixtures("by_tofu")
def test_state_in_s3_is_locked(tmp_path: Path) -> None:
    at = {"bucket": "state", "key": "demo.tfstate", "region": "us-east-1", "encrypt": True, "use_lockfile": True}
    stack = {"terraform": {"backend": {"s3": at | {"use_path_style": True}}}, "output": {"a": {"value": 1}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(stack))
    with moto.running() as url:
        s3, environment = moto.client("s3", url, "us-east-1"), moto.environment(url, "us-east-1")
        s3.create_bucket(Bucket="state")
        _tofu(tmp_path, "init", env=environment, code=0)
        _tofu(tmp_path, "apply", "-auto-approve", env=environment, code=0)
        assert [each["Key"] for each in s3.list_objects_v2(Bucket="state")["Contents"]] == ["demo.tfstate"]
        s3.put_object(Bucket="state", Key="demo.tfstate.tflock", Body=b'{"ID": "1", "Who": "somebody"}')
        refused = _tofu(tmp_path, "apply", "-auto-approve", env=environment, code=1)
    assert "Error acquiring the state lock" in refused
    assert "somebody" in refused


@pytest.mark.skipif(shutil.which("terraform") is None, reason="this machine has no Terraform")
def test_terraform_takes_over_and_hands_back(by_tofu: WithoutTerraform) -> None:
    with_terraform = Deployment(by_tofu.folder)
    with_terraform.change("catalogs", "lake", "namespaces", "gold", to={})
    assert with_terraform.planned() == {"bootstrap"}
    with_terraform.deploy()
    assert by_tofu.planned() == set()
