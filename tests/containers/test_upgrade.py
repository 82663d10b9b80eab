"""This release takes over the network of a former release, and makes its containers again once, for class archives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.runtimes.docker.engine import DockerEngine
from tests.containers.conftest import DOCKER, remains, runtime, sick
from tests.integration.deployment import PROJECT, Deployment

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]

FORMER = "912affa"  # the last commit with the network as a resource of Terraform's provider


def _release(deployment: Deployment, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the commands run the code in that folder."""
    settings = json.loads((PROJECT / "cdktf.json").read_text())
    settings["app"] = f'"{sys.executable}" "{home}/main.py"'
    (deployment.folder / "cdktf.json").write_text(json.dumps(settings))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(home), str(home / "constructs"))))


def test_the_network_of_a_former_release_is_taken_over(
    engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = tmp_path / "former"
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(PROJECT), str(former)], check=True)
    if subprocess.run(["git", "checkout", "--quiet", FORMER], cwd=former, check=False).returncode:
        pytest.skip(f"a shallow clone, without {FORMER}")
    (former / "node_modules").symlink_to(PROJECT / "node_modules")
    deployment = Deployment.make(
        tmp_path / "lakehouse",
        {("name",): f"it-former-{os.getpid()}", ("engines",): {}, **DOCKER},
        source=str(former / "lakehouse.yaml"),
    )
    state = deployment.folder / "terraform.local.tfstate"

    def there() -> dict[str, object]:
        return {name: engine.client.networks.get(name).id for name in engine.networks(deployment.local.state)}

    try:
        _release(deployment, former, monkeypatch)
        deployment.by_cdktf("deploy")
        before = there()
        assert "docker_network" in state.read_text()
        _release(deployment, PROJECT, monkeypatch)
        assert deployment.planned() == {"network", *runtime(deployment).processes()}
        deployment.by_cdktf("deploy")
        assert there() == before
        assert sick(deployment) == []
        assert not [each for each in json.loads(state.read_text())["resources"] if each["type"] == "docker_network"]
        assert deployment.planned() == set()
    finally:
        deployment.by_cdktf("destroy", None)
        deployment.lakehouse("destroy", "--data", "--yes", code=None)
    assert remains(deployment, engine) == []
