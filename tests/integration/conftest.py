"""One lakehouse for the whole session: real processes in a temporary folder, on free ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.runtimes import processes
from tests.integration.deployment import Deployment


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The default lakehouse, up: the README's first command in a clone. Its folder's path has a space in it."""
    deployment = Deployment.clone(tmp_path_factory.mktemp("integration") / "a lakehouse")
    state = deployment.local.state
    try:
        deployment.run("make", "deploy", timeout=600)
        yield deployment
    finally:
        deployment.cdktf("destroy", "local", "--auto-approve", code=None)
        left = list(processes.belonging(state))
        processes.end(left)
        assert not left, "destroy leaves no process"
