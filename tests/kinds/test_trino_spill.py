"""A query of Trino that writes to the disk what does not fit into its memory."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from lakehouse.kinds.engines.trino_work import SPILL
from tests.integration.deployment import Deployment, up

pytestmark = [pytest.mark.integration, pytest.mark.matrix, pytest.mark.timeout(600)]

EACH = "SELECT orderkey, partkey, suppkey, count(*) lines, max(shipinstruct) FROM tpch.sf1.lineitem GROUP BY 1, 2, 3"
# So that less memory is full: by themselves, servers begin at 0.9.
EARLY = {"memory-revoking-threshold": "0.2", "memory-revoking-target": "0.1"}


def test_a_query_spills_ends_right_and_leaves_nothing(tmp_path: Path) -> None:
    trino = {"memory": "1g", "spill": "4g", "properties": EARLY, "catalogs": {"tpch": {"connector.name": "tpch"}}}
    changes = {("stacks", "local", "catalogs"): {"lake": "rest"}, ("engines",): {"trino": trino}}
    with up(Deployment.make(tmp_path / "a lakehouse", changes)) as stack:
        assert stack.trino(f"SELECT count(*), sum(lines) FROM ({EACH})") == [[6001204, 6001215]]
        [[query]] = stack.trino("SELECT query_id FROM system.runtime.queries WHERE query LIKE 'SELECT count(*), sum%'")
        assert spilled(stack, query) > 10_000_000
        folder = Path(stack.local.place.data("trino")) / SPILL
        assert folder.is_dir()
        assert [each for each in folder.rglob("*") if each.is_file()] == []


def spilled(stack: Deployment, query: str) -> int:
    """Bytes that the query wrote."""
    address = f"http://{stack.local.place.external('trino')}/v1/query/{query}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"X-Trino-User": "test"})) as answer:
        return int(json.load(answer)["queryStats"]["spilledDataSize"].removesuffix("B"))
