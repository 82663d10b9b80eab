"""This release takes over a lakehouse of a former release: nothing restarts without need, no row is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lakehouse.spec import load, ports
from tests.integration.deployment import PROJECT, ROW, Deployment, a_row, read
from tests.ports import free

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(2400)]

FORMER = "1311a95"  # the last commit before stores, catalogs and engines became kinds
# Since then the master forgets its workers at each start (docs/decisions.md), and Connect restarts with it. A worker is
# ready only when its master has registered it, and Spark reads files at s3a://. Trino starts no further JVMs.
CHANGED = {"trino", "spark-master", "spark-connect", "spark-worker-1", "spark-worker-2"}


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _pids(deployment: Deployment) -> dict[str, int]:
    return {name: each.pid for name, each in deployment.local.runtime.processes().items()}


def test_a_deploy_by_this_release_leaves_the_services_of_a_former_one_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # each release runs its own code
    now = _git(PROJECT, "rev-parse", "HEAD")
    folder = tmp_path / "clone"
    _git(tmp_path, "clone", "--quiet", "--no-checkout", str(PROJECT), str(folder))
    try:
        _git(folder, "checkout", "--quiet", FORMER)
    except subprocess.CalledProcessError:
        pytest.skip(f"a shallow clone, without {FORMER}")
    deployment = Deployment(folder)
    names = list(ports(load(deployment.file), "local"))
    deployment.change("stacks", "local", "ports", to=dict(zip(names, free(len(names)), strict=True)))
    file = deployment.file.read_text()
    try:
        deployment.run("make", "deploy", timeout=900)
        with a_row(deployment):
            before = _pids(deployment)
            assert len(before) > 5
            _git(folder, "checkout", "--quiet", "--force", now)
            deployment.file.write_text(file)
            deployment.run("make", "deploy", timeout=900)
            after = _pids(deployment)
            assert {name for name in before | after if before.get(name) != after.get(name)} == CHANGED
            assert read(deployment) == ROW
            deployment.run(".venv/bin/lakehouse", "plan")  # ends with 2 if there is something to do
    finally:
        deployment.run("make", "destroy", code=None)
