from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import os, subprocess, sys
from lakehouse.runtimes import priority
priority.lowest()
subprocess.run([sys.executable, "-c", "import os; print(os.nice(0), os.sched_getscheduler(0))"], check=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such scheduler")
def test_what_a_process_of_the_lowest_priority_starts_has_it_too() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["19", str(os.SCHED_IDLE)]
