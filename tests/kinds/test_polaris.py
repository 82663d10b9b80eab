"""The default lakehouse on Polaris, with a store that vends no keys: clients have those of the store.

test_000_polaris.py deploys Polaris with a store that does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.deployment import Changes, Deployment, a_row, up
from tests.polaris.home import home

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(900)]


def test_every_client_reads_what_another_wrote_and_nothing_is_left_to_do(tmp_path: Path) -> None:
    entry = {"kind": "polaris", "home": str(home(tmp_path))}
    changes: Changes = {("stacks", "local", "catalogs"): {"lake": entry}, ("engines", "spark", "workers"): 1}
    deployment = Deployment.make(tmp_path / "a lake", changes)
    with up(deployment):
        assert "checks passed" in deployment.lakehouse("verify")
        assert "No changes." in deployment.lakehouse("plan")
        assert deployment.planned() == set()
        with a_row(deployment):
            both_read_one_view(deployment)


def both_read_one_view(deployment: Deployment) -> None:
    select = {
        "spark": "SELECT upper(word) AS word, to_date('2026-01-14') AS day FROM bad_days",
        "trino": "SELECT upper(word) AS word, DATE '2026-01-14' AS day FROM bad_days",
    }
    view = {"sql": select, "columns": {"word": "string", "day": {"type": "date", "doc": "of the row"}}}
    deployment.change("catalogs", "lake", "namespaces", "silver", "views", to={"shouted": view})
    deployment.lakehouse("apply")
    query = "SELECT word, CAST(day AS varchar) FROM lake.silver.shouted"
    assert deployment.trino(query) == [["HERE BEFORE", "2026-01-14"]]
    found = deployment.lakehouse("sql", "--engine", "spark", "-e", "SELECT * FROM lake.silver.shouted")
    assert "HERE BEFORE" in found
    assert "2026-01-14" in found
    assert "1 of them" in deployment.lakehouse("verify")
