"""What a deploy shows and leaves behind: outputs, its log, and the reason for a restart."""

from __future__ import annotations

import json

import pytest

from tests.integration.conftest import FIRST_LOG
from tests.integration.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def test_terraform_has_the_addresses_by_name(deployed: Deployment) -> None:
    state = json.loads((deployed.folder / "terraform.local.tfstate").read_text())
    addresses = state["outputs"]["addresses"]["value"]
    assert addresses == deployed.local.addresses
    assert addresses["spark-connect"] == f"sc://localhost:{deployed.port('spark-connect')}"
    assert {"trino", "s3proxy", "catalog-lake"} < addresses.keys()


def test_the_log_has_all_that_terraform_said(deployed: Deployment) -> None:
    text = (deployed.folder / FIRST_LOG).read_text()
    assert "Apply complete!" in text
    assert "trino is ready after" in text
    assert "\x1b" not in text


def test_a_diff_names_the_setting_and_what_of_the_contents_would_change(deployed: Deployment) -> None:
    before = deployed.change("engines", "trino", "memory", to="900m")
    try:
        deployed.change("catalogs", "lake", "namespaces", "gold", to={})
        said = deployed.lakehouse("diff", code=2)
        plan = deployed.cdktf("diff", "local")
    finally:
        deployed.file.write_text(before)
    assert "~ trino starts again: engines.trino.memory: 1g -> 900m" in said
    assert "+ namespace lake.gold" in said
    assert "engines.trino.memory: 1g -> 900m" in plan
    assert "+ namespace lake.gold" in plan
