"""main.py as cdktf runs it, on a file that it refuses while the CDK is still imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.synth.synthesised import ROOT


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
