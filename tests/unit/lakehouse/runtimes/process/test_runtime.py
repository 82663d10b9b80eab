"""The process runtime as a person asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.state import State


def test_memory_is_that_of_all_processes_with_the_services_mark(tmp_path: Path) -> None:
    state = State(tmp_path)
    environment = {**os.environ, "LAKEHOUSE_STATE": str(tmp_path), "LAKEHOUSE_SERVICE": "spark-worker-1"}
    # A worker that starts an executor, as far as the operating system sees it.
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    worker = subprocess.Popen(
        [sys.executable, "-c", child], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "1\n"
        alone = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        assert Processes(state, ()).memory()["spark-worker-1"] > alone * 1.2
        assert set(Processes(State(tmp_path / "other"), ()).memory()) == set()
    finally:
        worker.communicate("\n")
