"""The pipeline against a real stack: plan, apply, a stale plan, an interrupted apply, drift.

Only a store and a catalog: what it does with a stack does not depend on the engines.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.deployment import Deployment, up

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

TABLE = ("catalogs", "lake", "namespaces", "silver", "tables", "minute_aggs", "doc")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Deployment]:
    with up(Deployment.make(tmp_path / "a lakehouse", {("engines",): {}})) as made:
        yield made


def pipeline(small: Deployment, *words: str, code: int = 0) -> str:
    return small.run(sys.executable, "-m", "bootstrap.cli.pipeline", *words, code=code)


def plan(small: Deployment, code: int = 0) -> str:
    return pipeline(small, "plan", "local", "--no-checks", "--detailed-exitcode", code=code)


def summary(small: Deployment) -> str:
    return (small.folder / ".pipeline" / "local" / "summary.md").read_text()


def doc(small: Deployment) -> str:
    reported = json.loads(small.lakehouse("export", "--json"))
    return str(reported["catalogs"]["lake"]["namespaces"]["silver"]["tables"]["minute_aggs"].get("doc"))


def test_what_is_planned_and_nothing_else_is_applied_and_verified_though_it_was_cut_off(small: Deployment) -> None:
    small.change(*TABLE, to="planned")
    plan(small, code=2)
    small.change(*TABLE, to="by the pipeline")
    refused = pipeline(small, "apply", "local", code=1)
    assert "the plan of local is stale: the sources have changed" in refused
    assert doc(small) not in ("planned", "by the pipeline")
    assert "drift: terraform_data.process_bootstrap" in pipeline(small, "drift", "local", code=2)
    plan(small, code=2)
    assert "- Contents: 1 changes" in summary(small)
    apply = small.popen(sys.executable, "-m", "bootstrap.cli.pipeline", "apply", "local")
    assert apply.stdout is not None
    for line in apply.stdout:
        if "bootstrap: lakehouse apply" in line:  # the deploy is done: the same look would say something else now
            break
    os.killpg(apply.pid, signal.SIGKILL)
    apply.wait()
    apply.stdout.close()
    applied = pipeline(small, "apply", "local")
    assert "An apply of this plan was interrupted: it continues." in applied
    assert "verify: lakehouse verify: done" in applied
    assert doc(small) == "by the pipeline"
    plan(small, code=0)
    assert "- Infrastructure: no changes\n- Contents: no changes" in summary(small)
    pipeline(small, "drift", "local", code=0)
