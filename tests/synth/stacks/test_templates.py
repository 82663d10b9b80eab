"""Each template of `lakehouse init`, as a user begins with it: init, validate, synth by the app of its cdktf.json."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.project.templates import Template, templates
from bootstrap.session.synthesised import read


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.name)
def test_a_new_project_is_valid_and_can_be_synthesised(template: Template, tmp_path: Path) -> None:
    folder = tmp_path / "a lake"

    def run(*words: str, within: Path = folder) -> str:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LAKEHOUSE")}
        environment |= {"CDKTF_OUTDIR": str(tmp_path / "out"), "TMPDIR": str(tmp_path)}
        command = [sys.executable, "-m", "bootstrap.cli.main", *words]
        done = subprocess.run(command, cwd=within, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("init", "--template", template.name, str(folder), within=tmp_path)
    assert "is valid" in run("validate")
    program, *words = shlex.split(json.loads((folder / "cdktf.json").read_text())["app"])
    assert program == "lakehouse"
    run(*words)
    assert set(read(tmp_path / "out")) == ({"aws", "clusters", "tables"} if template.name == "aws" else {"local"})
