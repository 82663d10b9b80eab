"""The dashboard has a row for what the stack has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.lakehouse.kinds.platform.monitored import PIPELINES, built, content


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({}, ["Services", "Trino", "Spark", "Nessie", "Tables", "Machine"]),
        (
            {"store": "seaweedfs", "catalogs": {"lake": "rest"}, "engines": {"spark": {}}},
            ["Services", "SeaweedFS", "Spark", "PostgreSQL", "Tables", "Machine"],
        ),
        (
            {"store": "minio", "pipelines": PIPELINES, "engines": {"trino": {}}},
            ["Services", "Trino", "MinIO", "PostgreSQL", "Pipelines", "Kafka", "Kafka Connect", "Tables", "Machine"],
        ),
    ],
)
def test_a_row_for_what_is_there(tmp_path: Path, changes: dict[str, Any], rows: list[str]) -> None:
    found = content(built(tmp_path, **changes)["victoria-metrics"], "dashboards/lakehouse.json")
    assert [each["title"] for each in found["rows"]] == rows
    for panel in (panel for row in found["rows"] for panel in row["panels"]):
        assert len(panel["expr"]) == len(panel.get("alias", panel["expr"]))
