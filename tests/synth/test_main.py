"""main.py as cdktf runs it, on a file that it refuses while the CDK is still imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.session.synthesised import read, run
from tests.synth.synthesised import ROOT
from tests.unit.mixed import mixed


def test_an_invalid_file_is_reported_and_nothing_of_node_stays(tmp_path: Path) -> None:
    file, temporary = tmp_path / "lakehouse.yaml", tmp_path / "temporary"
    file.write_text("name: demo\ncatalogs: 5\n")
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, ROOT / "main.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"LAKEHOUSE_FILE": str(file), "TMPDIR": str(temporary)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert list(temporary.iterdir()) == []


def test_a_stack_alone_needs_nothing_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a runner, which has neither Java nor a package."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    done = run(mixed(tmp_path), tmp_path / "out", "cloud")
    assert done.returncode == 0, done.stderr
    assert set(read(tmp_path / "out")) == {"cloud"}
    done = run(tmp_path / "lakehouse.yaml", tmp_path / "none", "clout")
    assert 'lakehouse.yaml: stacks has no "clout"; it has local, cloud.' in done.stderr
