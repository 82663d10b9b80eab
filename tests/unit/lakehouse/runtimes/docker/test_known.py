from __future__ import annotations

import json
from pathlib import Path

from lakehouse.runtimes.docker.known import former_networks, known_names


def test_names_that_terraform_knows(tmp_path: Path) -> None:
    state = tmp_path / "terraform.local.tfstate"
    assert known_names(state) is None
    assert former_networks(state) == []
    state.write_text("")
    assert known_names(state) == frozenset()
    made = [
        {"type": "docker_network", "name": "docker_network_1", "instances": [{"attributes": {"name": "demo-local"}}]},
        {"type": "docker_container", "instances": [{"attributes": {"name": "demo-local-nessie"}}]},
        {"type": "docker_container", "instances": [{"status": "tainted", "attributes": {"name": "demo-local-trino"}}]},
        {"type": "docker_image", "instances": [{"attributes": {"name": "nessie"}}]},
    ]
    state.write_text(json.dumps({"version": 4, "resources": made}))
    assert known_names(state) == frozenset({"demo-local-nessie"})
    assert former_networks(state) == ["docker_network.docker_network_1"]
