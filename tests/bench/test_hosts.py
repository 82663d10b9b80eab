"""`runtime: hosts`: a deploy of three machines against the bare playbook, and TPC-H on one and on three of them.

The machines are containers on this one (tests/containers/machines.py), so three have the processors of one: what is
seen is what the distribution costs, not what it gains.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from lakehouse.packages.environment import ANSIBLE
from lakehouse.runtimes.hosts import playbook
from tests.bench.test_queries import QUERIES
from tests.bench.test_startup import ROUNDS, seconds, show
from tests.containers.machines import THREE, running
from tests.containers.on_hosts import OPEN, log_in_by, made
from tests.integration.deployment import PROJECT, Deployment

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

SCALE = "0.1"


@contextmanager
def placed(folder: Path, hosts: int) -> Iterator[Deployment]:
    """A store, a catalog and Trino: on one machine, or with a worker on each of two more."""
    options = {**OPEN, "hosts": dict(list(THREE.items())[:hosts]), "catalogs": {"lake": "rest"}}
    stack = made(folder, None, {"trino": {"memory": "1g", "workers": hosts - 1}}, options)
    with machines(stack):
        yield stack


@contextmanager
def machines(stack: Deployment) -> Iterator[None]:
    """New ones, on which the stack can log in."""
    keys = stack.folder / f"keys-{len(list(stack.folder.glob('keys-*')))}"
    keys.mkdir()
    with running(keys) as key:
        log_in_by(stack, key)
        yield


def bare(stack: Deployment) -> None:
    """The playbook by itself, with the inventory and the files of the stack."""
    own = playbook.inventory_folder(stack.local.state)
    command: list[str | Path] = [ANSIBLE.program, "--inventory", own, "site.yml"]
    done = subprocess.run(
        command, cwd=PROJECT / "ansible", capture_output=True, text=True, check=False, timeout=1500
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def queries(stack: Deployment) -> dict[str, list[float]]:
    """The seconds of each query of TPC-H, after one round that is not counted."""
    import trino

    stack.lakehouse("generate", "--dataset", "tpch", "--scale", SCALE)
    at = stack.local.place.external("trino")
    connection = trino.dbapi.connect(host=at.host, port=at.port, user="bench", catalog="lake", schema="tpch")  # type: ignore[no-untyped-call]

    def run(text: str) -> None:
        cursor = connection.cursor()
        cursor.execute(text)
        assert cursor.fetchall()

    taken: dict[str, list[float]] = {name: [] for name in QUERIES}
    for number in range(1 + ROUNDS):
        for name, text in QUERIES.items():
            took = seconds(partial(run, text))
            if number:
                taken[name].append(took)
    return taken


def test_three_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: dict[str, list[float]] = {}
    with placed(tmp_path / "three", 3) as stack:
        rows["deploy, new machines"] = [seconds(stack.deploy)]
        rows["deploy, nothing to do"] = [seconds(stack.deploy) for _ in range(ROUNDS)]
        three = queries(stack)
        rows["destroy"] = [seconds(stack.destroy)]
    # Its inventory goes with a destroy, so the playbook gets it from a stack that was only left.
    with placed(tmp_path / "bare", 3) as stack:
        rows["deploy, new machines"].append(seconds(stack.deploy))
    with machines(stack):
        rows["playbook, new machines"] = [seconds(partial(bare, stack))]
        rows["playbook, nothing to do"] = [seconds(partial(bare, stack)) for _ in range(ROUNDS)]
    with placed(tmp_path / "one", 1) as stack:
        rows["deploy of one new machine"] = [seconds(stack.deploy)]
        one = queries(stack)
        stack.destroy()
    show(capsys, "Hosts", rows)
    show(capsys, f"TPC-H at scale {SCALE}, three machines on the processors of one", three)
    show(capsys, f"TPC-H at scale {SCALE}, one machine", one)
