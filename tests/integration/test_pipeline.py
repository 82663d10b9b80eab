"""The pipeline against a real stack: plan, apply, a stale plan, an interrupted apply, drift."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

TABLE = ("catalogs", "lake", "namespaces", "silver", "tables", "minute_aggs", "doc")


@pytest.fixture(autouse=True)
def same_file(deployed: Deployment) -> Iterator[None]:
    """A test's changes are undone, in the file and in the stack."""
    before = deployed.file.read_text()
    yield
    if deployed.file.read_text() != before:
        deployed.file.write_text(before)
        deployed.deploy()


def pipeline(deployed: Deployment, *words: str, code: int = 0) -> str:
    return deployed.run(sys.executable, "-m", "bootstrap.cli.pipeline", *words, code=code)


def plan(deployed: Deployment, code: int = 0) -> str:
    return pipeline(deployed, "plan", "local", "--no-checks", "--detailed-exitcode", code=code)


def summary(deployed: Deployment) -> str:
    return (deployed.folder / ".pipeline" / "local" / "summary.md").read_text()


def doc(deployed: Deployment) -> str:
    reported = json.loads(deployed.lakehouse("export", "--json"))
    return str(reported["catalogs"]["lake"]["namespaces"]["silver"]["tables"]["minute_aggs"].get("doc"))


def test_what_is_planned_and_nothing_else_is_applied_and_verified_though_it_was_cut_off(deployed: Deployment) -> None:
    deployed.change(*TABLE, to="planned")
    plan(deployed, code=2)
    deployed.change(*TABLE, to="by the pipeline")
    refused = pipeline(deployed, "apply", "local", code=1)
    assert "the plan of local is stale: the sources have changed" in refused
    assert doc(deployed) not in ("planned", "by the pipeline")
    assert "drift: terraform_data.process_bootstrap" in pipeline(deployed, "drift", "local", code=2)
    plan(deployed, code=2)
    assert "- Contents: 1 changes" in summary(deployed)
    apply = deployed.popen(sys.executable, "-m", "bootstrap.cli.pipeline", "apply", "local")
    assert apply.stdout is not None
    for line in apply.stdout:
        if "bootstrap: lakehouse apply" in line:  # the deploy is done: the same look would say something else now
            break
    os.killpg(apply.pid, signal.SIGKILL)
    apply.wait()
    apply.stdout.close()
    applied = pipeline(deployed, "apply", "local")
    assert "An apply of this plan was interrupted: it continues." in applied
    assert "verify: lakehouse verify: done" in applied
    assert doc(deployed) == "by the pipeline"
    plan(deployed, code=0)
    assert "- Infrastructure: no changes\n- Contents: no changes" in summary(deployed)
    pipeline(deployed, "drift", "local", code=0)
