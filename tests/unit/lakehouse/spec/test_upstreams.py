"""Rules of a table's upstreams."""

from __future__ import annotations

import pytest

from lakehouse.spec.model import Lakehouse
from lakehouse.spec.upstreams import check_upstreams


def lakehouse(upstream: str) -> Lakehouse:
    table = {"columns": {"id": "long"}, "upstreams": [upstream]}
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {"location": "s3://warehouse/lake", "namespaces": {"bronze": {"tables": {"orders": table}}}}
            },
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "rest"}}},
        }
    )


@pytest.mark.parametrize(
    "upstream",
    ["lake.bronze.raw", "lake.a.b.raw", "s3://bucket/folder/", "kafka://orders", "postgres://db.public.orders"],
)
def test_what_is_valid(upstream: str) -> None:
    assert list(check_upstreams(lakehouse(upstream))) == []


@pytest.mark.parametrize(
    ("upstream", "why"),
    [("lake.bronze.orders", "this table itself"), ("lak.bronze.raw", 'there is no catalog "lak", only lake')],
)
def test_what_is_refused(upstream: str, why: str) -> None:
    [problem] = check_upstreams(lakehouse(upstream))
    assert why in problem.message
    assert problem.at[-2:] == ("upstreams", 0)


@pytest.mark.parametrize("upstream", ["orders", "kafka://a b", "kafka://a,b", "s3://", "Kafka://x", "a.b"])
def test_what_is_no_upstream(upstream: str) -> None:
    with pytest.raises(ValueError, match="is not where rows come from"):
        lakehouse(upstream)
