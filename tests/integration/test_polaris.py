"""The default lakehouse on Polaris, with a store that vends no keys: clients have those of the store.

test_000_polaris.py deploys Polaris with a store that does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.runtimes import processes
from tests.integration.deployment import Changes, Deployment
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]


def test_every_client_reads_what_another_wrote_and_nothing_is_left_to_do(tmp_path: Path) -> None:
    entry = {"kind": "polaris", "home": str(home(tmp_path))}
    changes: Changes = {("stacks", "local", "catalogs"): {"lake": entry}, ("engines", "spark", "workers"): 1}
    deployment = Deployment.make(tmp_path / "a lake", changes)
    deployment.fetch()
    state = deployment.local.state
    try:
        deployment.deploy()
        assert "checks passed" in deployment.lakehouse("verify")
        assert "No changes." in deployment.lakehouse("plan")
        assert deployment.planned() == set()
    finally:
        deployment.cdktf("destroy", "local", "--auto-approve", code=None)
        left = list(processes.belonging(state))
        processes.end(left)
        assert not left, "destroy leaves no process"
