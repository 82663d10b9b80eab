"""A lakehouse on Polaris, deployed and used: the double, or the real server that POLARIS_HOME names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.deployment import Deployment
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("polaris")
    entry = {"kind": "polaris", "home": str(home(folder)), "warehouse": "quickstart"}
    made = Deployment.make(
        folder / "a lake", {("stacks", "local", "catalogs"): {"lake": entry}, ("engines", "spark", "workers"): 1}
    )
    try:
        made.deploy()
        yield made
    finally:
        made.cdktf("destroy", "local", "--auto-approve", code=None)


def test_every_client_reads_what_another_wrote(deployment: Deployment) -> None:
    deployment.lakehouse("verify")
    assert "No changes." in deployment.lakehouse("plan")
    assert deployment.planned() == set()
