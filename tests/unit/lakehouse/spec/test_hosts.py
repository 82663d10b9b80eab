from __future__ import annotations

import pytest

from lakehouse.spec.hosts import Placement, host_of

PLACED = Placement.model_validate(
    {
        "store": "c",
        "catalogs": "b",
        "trino": {"coordinator": "b", "workers": ["c", "a"]},
        "spark": {"master": "c", "workers": ["a"]},
    }
)


@pytest.mark.parametrize(
    ("name", "by_itself", "placed"),
    [
        ("s3proxy", "a", "c"),
        ("nessie", "a", "b"),
        ("nessie-management", "a", "b"),
        ("trino", "a", "b"),
        ("trino-worker-1", "b", "c"),
        ("trino-worker-2", "c", "a"),
        ("trino-worker-3", "b", "c"),
        ("spark-master-ui", "a", "c"),
        ("spark-connect", "a", "c"),
        ("spark-worker-2", "c", "a"),
        ("spark-worker-2-ui", "c", "a"),
    ],
)
def test_where_a_service_and_its_ports_are(name: str, by_itself: str, placed: str) -> None:
    assert host_of(name, ["a", "b", "c"], Placement(), "s3proxy") == by_itself
    assert host_of(name, ["a", "b", "c"], PLACED, "s3proxy") == placed
    assert host_of(name, ["a"], Placement(), "s3proxy") == "a"
