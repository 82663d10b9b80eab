"""The stacks of lakehouses/aws-glue.yaml, synthesised once for all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lakehouse.spec import Lakehouse, load

ROOT = Path(__file__).parents[3]
FILE = ROOT / "lakehouses" / "aws-glue.yaml"
STACKS = ("aws", "clusters", "tables")


def synthesise(folder: Path, file: Path = FILE, *code: str) -> Mapping[str, Any]:
    """Run main.py, or ``code`` in its place, in a separate process. Returns every stack's JSON by name."""
    environment = {**os.environ, "LAKEHOUSE_FILE": str(file), "CDKTF_OUTDIR": str(folder / "cdktf.out")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "constructs"), *sys.path])
    command = [sys.executable, *(code or (str(ROOT / "main.py"),))]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    stacks = sorted((folder / "cdktf.out" / "stacks").glob("*/cdk.tf.json"))
    return {path.parent.name: json.loads(path.read_text()) for path in stacks}


@pytest.fixture(scope="session")
def lakehouse() -> Lakehouse:
    return load(FILE)


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return synthesise(tmp_path_factory.mktemp("synth"))
