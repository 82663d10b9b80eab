"""Kill rounds with a writer: services die at random moments, one deploy follows, and every acknowledged row is there.

``LAKEHOUSE_KILLS=50 python -m pytest tests/bench/test_kills.py -s`` for a campaign; it prints what happened.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from lakehouse.runtimes import processes
from lakehouse.runtimes.process.incarnation import healthy
from tests.bench.writer import Writer
from tests.integration.deployment import Deployment, until

pytestmark = [pytest.mark.bench, pytest.mark.timeout(4 * 3600)]

ROUNDS = int(os.environ.get("LAKEHOUSE_KILLS", "10"))
TABLE = "lake.silver.killed"


def kill(deployment: Deployment, chance: random.Random) -> str:
    """Kill some services, the supervisor, or everything at once. Returns what was killed."""
    state = deployment.local.state
    names = [service.name for service in deployment.local.services]
    what = chance.choice(["everything", "supervisor", "services", "services"])
    chosen = set(names) if what == "everything" else set(chance.sample(names, chance.randint(1, 3)))
    if what != "services" and state.pid_file.exists():
        os.kill(int(state.pid_file.read_text()), signal.SIGKILL)
    for name in chosen:
        for process in processes.belonging(state, name):
            process.kill()
    return what


def sick_services(deployment: Deployment) -> list[str]:
    local = deployment.local
    return [name for name, well in healthy(local.services, local.state).items() if not well]


def test_every_acknowledged_row_survives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deployment = Deployment.make(tmp_path / "lakehouse")
    chance = random.Random(int(os.environ.get("LAKEHOUSE_SEED", "1")))
    kinds: Counter[str] = Counter()
    failed: list[str] = []
    try:
        deployment.deploy()
        deployment.trino(f"CREATE TABLE {TABLE} (id bigint)")
        writer = Writer(deployment, lambda: TABLE)
        for number in range(1, ROUNDS + 1):
            over = threading.Event()
            with writer.writing():
                over.wait(chance.uniform(0.5, 8))
                what = kill(deployment, chance)
                over.wait(chance.uniform(0, 3))
                kinds[what] += 1
                output = deployment.deploy(code=None)
            with suppress(AssertionError):
                until(lambda: not sick_services(deployment), 60)  # one that died just before is still starting
            sick = sick_services(deployment)
            rows = [row[0] for row in deployment.trino(f"SELECT id FROM {TABLE}")] if not sick else []
            lost = writer.acknowledged - set(rows)
            twice = len(rows) - len(set(rows))
            if sick or lost or twice:
                failed.append(f"round {number} ({what}): sick {sick}, lost {sorted(lost)}, twice {twice}\n{output}")
                deployment.deploy(code=None)
            with capsys.disabled():
                print(f"round {number:3} {what:10} {len(writer.acknowledged):5} acknowledged, {len(failed)} failed")
    finally:
        deployment.cdktf("destroy", "local", "--auto-approve", code=None)
        processes.end(processes.belonging(deployment.local.state))
    with capsys.disabled():
        print(
            f"{ROUNDS} rounds: {dict(kinds)}; {len(writer.acknowledged)} rows acknowledged, {len(failed)} rounds failed"
        )
    assert failed == []
