from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.operations.endpoints import of_stack
from bootstrap.operations.status import combine, duration, resident
from bootstrap.operations.target import Target
from lakehouse.runtimes.process.state import State
from lakehouse.runtimes.process.supervisor import Process


def test_what_probes_supervisor_and_system_say_becomes_one_status(target: Target) -> None:
    services = target.local.services
    health = {each.name: each.name == "trino" for each in services}
    processes = {
        "trino": Process("trino", "RUNNING", 42, 3700, ""),
        "nessie": Process("nessie", "BACKOFF", 0, 9, "exited too quickly"),
    }
    by_name = {each.name: each for each in combine(services, health, processes, {"trino": 300 << 20})}
    trino, nessie, store = by_name["trino"], by_name["nessie"], by_name["s3proxy"]
    assert list(by_name) == [each.name for each in services]
    assert (trino.healthy, trino.state, trino.pid, trino.uptime_seconds, trino.memory_mb) == (
        True, "RUNNING", 42, 3700, 300,
    )  # fmt: skip
    assert (nessie.healthy, nessie.state, nessie.pid, nessie.uptime_seconds) == (False, "BACKOFF", None, None)
    assert (store.healthy, store.state, store.pid, store.memory_mb) == (False, "DOWN", None, None)
    assert trino.endpoints[0].external.endswith("/ui/")


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
        assert resident(state)["spark-worker-1"] > alone * 1.2
        assert set(resident(State(tmp_path / "other"))) == set()
    finally:
        worker.communicate("\n")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m 0s"),
        (3599, "59m 59s"),
        (3600, "1h 0m"),
        (86399, "23h 59m"),
        (273600, "3d 4h"),
    ],
)
def test_durations(seconds: int | None, expected: str) -> None:
    assert duration(seconds) == expected


def test_every_endpoint_says_what_it_is_and_where_from_both_sides(target: Target) -> None:
    found = of_stack(target.local.services, target.local.endpoints)
    assert {"Trino", "Spark Connect", "S3 endpoint", "Iceberg REST (lake)", "Nessie API (lake)"} <= {
        each.name for each in found
    }
    assert all(each.meaning and "127.0.0.1" in each.external and each.internal for each in found)
    assert len({each.external for each in found}) == len(found)
