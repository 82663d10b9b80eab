"""Users of a store: what each may do, and what has to change. That a store heeds it is in tests/behaviour."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.stores.users import User, changes, wanted
from lakehouse.spec import Lakehouse

TABLE: Any = {"columns": {"a": "long"}}


def lakehouse(grants: dict[str, dict[str, list[str]]]) -> Lakehouse:
    """One role and one principal for each name, with these grants."""
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {
                        "bronze": {"tables": {"raw": TABLE}},
                        "silver": {"tables": {"far": {**TABLE, "location": "s3://other/far"}}},
                    },
                }
            },
            "access": {
                "roles": {name: {"grants": of} for name, of in grants.items()},
                "principals": {name: {"roles": [name]} for name in grants},
            },
            "stacks": {"local": {"runtime": "process", "store": "minio", "catalogs": {"lake": "nessie"}}},
        }
    )


def actions(policy: Any) -> dict[str, set[str]]:
    """Resource -> actions."""
    found: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        for resource in statement["Resource"]:
            found.setdefault(resource.removeprefix("arn:aws:s3:::"), set()).update(statement["Action"])
    return found


def test_grants_become_actions_on_the_files() -> None:
    found = wanted(
        lakehouse(
            {
                "reader": {"lake.silver": ["read"]},
                "writer": {"lake.bronze.raw": ["write"]},
                "owner": {"lake": ["manage"]},
                "nobody": {},
            }
        )
    )
    assert list(found) == ["demo-reader", "demo-writer", "demo-owner"]
    reads, lists = {"s3:GetObject"}, {"s3:GetBucketLocation", "s3:ListBucket"}
    assert actions(found["demo-reader"]) == {
        "warehouse/lake/silver/*": reads,
        "other/far/*": reads,
        "warehouse": lists,
        "other": lists,
    }
    writer = actions(found["demo-writer"])
    assert set(writer) == {"warehouse/lake/bronze/raw/*", "warehouse"}
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= writer["warehouse/lake/bronze/raw/*"]
    owner = actions(found["demo-owner"])
    assert {"warehouse/lake/bronze/*", "warehouse/lake/silver/*", "other/far/*"} <= set(owner)


def test_no_statement_reaches_beyond_the_buckets_of_the_grant() -> None:
    policy = wanted(lakehouse({"reader": {"lake.bronze": ["read"]}}))["demo-reader"]
    assert not any(resource.startswith("other") for resource in actions(policy))
    (listing,) = [each for each in policy["Statement"] if each["Action"] == ["s3:ListBucket"]]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["lake/bronze", "lake/bronze/*"]}}


def document(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": ["a", "b"]}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    ("want", "have", "expected"),
    [
        ({}, {}, []),
        ({"demo-a": document("x")}, {}, ["+ user demo-a"]),
        ({}, {"demo-a": document("x")}, ["- user demo-a"]),
        ({"demo-a": document("x", "y")}, {"demo-a": document("y", "x")}, []),
        ({"demo-a": document("x")}, {"demo-a": document("y")}, ["~ user demo-a"]),
        ({"demo-b": document("x")}, {"demo-a": document("x")}, ["+ user demo-b", "- user demo-a"]),
    ],
)
def test_changes(want: dict[str, Any], have: dict[str, Any], expected: list[str]) -> None:
    found = changes(want, {name: User(f"key of {name}", policy) for name, policy in have.items()})
    assert [str(each) for each in found] == expected
    assert all(each.access_key == ("" if each.op == "create" else f"key of {each.user}") for each in found)
