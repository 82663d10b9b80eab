"""Each template of `lakehouse init`, as a user begins with it: init, validate, synth."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.project.init import planned, write
from bootstrap.project.templates import Template, templates
from bootstrap.session.synthesised import read
from lakehouse.spec import cautions, load

ROOT = Path(__file__).parents[3]
# All in one process, because most of a synth's time is the import of the CDK.
EACH = """
import os, sys
import main
for folder in sys.argv[1:]:
    os.environ.update(LAKEHOUSE_FILE=f"{folder}/lakehouse.yaml", CDKTF_OUTDIR=f"{folder}/cdktf.out")
    if code := main.main():
        sys.exit(code)
"""


def run(*command: str | Path, within: Path, **environment: str) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LAKEHOUSE")}
    kept |= {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "constructs"))), **environment}
    done = subprocess.run(command, cwd=within, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project of each template, all synthesised."""
    folder = tmp_path_factory.mktemp("some projects")
    for each in templates():
        write(planned(folder / each.name, each, "mine"))
    run(sys.executable, "-c", EACH, *(folder / each.name for each in templates()), within=ROOT, TMPDIR=str(folder))
    return folder


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.name)
def test_a_new_project_is_valid_and_can_be_synthesised(template: Template, projects: Path) -> None:
    file = projects / template.name / "lakehouse.yaml"
    lakehouse = load(file)
    missing = [each for each in cautions(file, lakehouse) if "massive.credentials does not exist" not in each]
    assert (lakehouse.name, missing) == ("mine", [])
    assert set(read(file.parent / "cdktf.out")) == set(lakehouse.stacks)


def test_cdktf_finds_the_app(projects: Path) -> None:
    folder = projects / "dbt"
    program, *words = shlex.split(json.loads((folder / "cdktf.json").read_text())["app"])
    assert program == "lakehouse"
    command = (sys.executable, "-m", "bootstrap.cli.main", *words)
    run(*command, within=folder / "models", TMPDIR=str(projects), CDKTF_OUTDIR=str(projects / "out"))
    assert set(read(projects / "out")) == {"local"}
