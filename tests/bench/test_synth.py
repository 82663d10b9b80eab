"""The cost of a synth of AWS stacks, compared with the import of the bindings. Nothing asserts a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
FILE = ROOT / "lakehouses" / "aws-glue.yaml"
ROUNDS = 3
_MEASURED = """
import re, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) // 1024)
"""


def _run(folder: Path, script: Path) -> tuple[float, int]:
    """Seconds and MiB of a script, the CDK's Node process not counted in the MiB."""
    environment = {**os.environ, "LAKEHOUSE_FILE": str(FILE), "CDKTF_OUTDIR": str(folder / "cdktf.out")}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(script)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return time.monotonic() - began, int(done.stdout.split()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_synth_compared_with_the_bindings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bindings = tmp_path / "bindings.py"
    bindings.write_text("import cdktf_cdktf_provider_aws\n")
    ours = [_run(tmp_path, ROOT / "main.py") for _ in range(ROUNDS)]
    theirs = [_run(tmp_path, bindings) for _ in range(ROUNDS)]
    with capsys.disabled():
        for what, runs in (("main.py, three AWS stacks", ours), ("import of the bindings", theirs)):
            seconds, mebibytes = (median(each) for each in zip(*runs, strict=True))
            print(f"\n{what}: {seconds:.1f} s, {mebibytes:.0f} MiB")
