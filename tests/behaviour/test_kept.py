"""A stack whose file loses an entry with data: Terraform itself stops before it deletes anything of it.

The stack's own resource, which depends on stand-ins: the rest of the stack needs AWS's provider.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from lakehouse.packages import terraform
from tests.synth.aws.conftest import synthesise

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

FILE = """
name: demo
buckets:
  warehouse: {}
  spare: {}
  scratch: {deletable: true}
catalogs:
  lake:
    location: s3://warehouse/lake
    namespaces:
      bronze: {}
      silver: {}
      tests: {deletable: true}
stacks:
  aws: {region: eu-west-1, store: s3, catalogs: {lake: glue}, allow_destroy: true}
"""


def _deploy(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    file = folder / "lakehouse.yaml"
    file.write_text(text)
    resource = synthesise(folder, file)["aws"]["resource"]
    block = {key: value for key, value in resource["terraform_data"]["kept"].items() if key != "//"}
    names = [address.replace(".", "-") for address in block["depends_on"]]
    stand_ins: dict[str, object] = {name: {"input": name} for name in names}
    block["depends_on"] = [f"terraform_data.{name}" for name in names]
    (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": {**stand_ins, "kept": block}}}))
    return _terraform(folder, "apply", "-auto-approve")


def _terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [terraform.find(os.environ) or "terraform", f"-chdir={folder}", *words, "-no-color"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _there(folder: Path) -> set[str]:
    shown = json.loads(_terraform(folder, "show", "-json").stdout)
    return {each["name"] for each in shown["values"]["root_module"]["resources"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kept")
    (made / "main.tf.json").write_text("{}")
    assert _terraform(made, "init").returncode == 0
    assert (done := _deploy(made, FILE)).returncode == 0, done.stderr
    return made


@pytest.mark.parametrize(
    ("entry", "new"),
    [("      silver: {}\n", ""), ("      silver: {}\n", "      gold: {}\n"), ("  spare: {}\n", "")],
)
def test_an_entry_with_data_that_left_the_file_stops_the_deploy(folder: Path, entry: str, new: str) -> None:
    before = _there(folder)
    assert len(before) > 20
    done = _deploy(folder, FILE.replace(entry, new))
    assert done.returncode != 0
    assert f"{entry.strip().removesuffix(': {}')}, which holds data" in done.stderr + done.stdout
    assert _there(folder) >= before
    assert (again := _deploy(folder, FILE)).returncode == 0, again.stderr  # as it was


def test_entries_come_and_those_with_both_keys_go(folder: Path) -> None:
    changed = FILE.replace("      tests: {deletable: true}\n", "      gold: {}\n")
    changed = changed.replace("  scratch: {deletable: true}\n", "")
    assert (done := _deploy(folder, changed)).returncode == 0, done.stderr
    names = _there(folder)
    assert "aws_glue_catalog_database-glue_lake_gold" in names
    assert not [name for name in names if "tests" in name or "scratch" in name]
    assert (again := _deploy(folder, FILE)).returncode != 0, "gold is kept from now on"
    assert "lake.namespaces.gold, which holds data" in again.stderr + again.stdout
