"""Grants with filters and masks. Refused files and their messages are in ``bad/access-*.yaml``."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse.spec import Lakehouse
from lakehouse.spec.access import check_access, covered, masks, split
from lakehouse.spec.checks import check
from lakehouse.spec.model import Table

COLUMNS = {"id": "long", "email": {"type": "string", "tags": ["pii"]}, "region": "string"}
VIEW = {"sql": {"spark": "SELECT 1 AS a"}, "columns": {"a": "int"}}


def lakehouse(grants: dict[str, Any], **access: Any) -> Lakehouse:
    """A lakehouse whose principal p has these grants, by roles r0, r1, ... if it is a list of grants."""
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}},
            "catalogs": {
                "lake": {
                    "location": "s3://warehouse/lake",
                    "namespaces": {
                        "sales": {"tables": {"customers": {"columns": COLUMNS}, "orders": {"columns": {"id": "long"}}}},
                        "sales.eu": {"tables": {"customers": {"columns": COLUMNS}}, "views": {"v": VIEW}},
                        "salesman": {"tables": {"t": {"columns": {"id": "long"}}}},
                    },
                }
            },
            "access": {
                "roles": {"r": {"grants": grants}},
                "principals": {"p": {"roles": ["r"]}},
                "enforce": "best-effort",
                **access,
            },
            "stacks": {"local": {"runtime": "process", "store": "s3proxy", "catalogs": {"lake": "nessie"}}},
        }
    )


@pytest.mark.parametrize(
    "grants",
    [
        {"lake.sales.customers": {"verbs": ["read"], "rows": "region = 'EU'", "columns": {"email": "mask"}}},
        {"lake.sales.customers": {"verbs": ["read"], "columns": {"email": "substr(email, 1, 3)"}}},
        {"lake": {"verbs": ["read"], "columns": {"tag:pii": "mask"}}},
        {"lake.sales": {"verbs": ["read"], "columns": {"tag:pii": "mask"}}, "lake.salesman": ["manage"]},
        {"lake.sales.eu.v": ["read"], "lake.sales.eu.customers": ["read", "write"]},
        {"lake.sales.customers": {"verbs": ["read"], "rows": "id = 1"}, "lake.sales.orders": ["write"]},
    ],
)
def test_a_grant_may_leave_out_rows_and_values(grants: dict[str, Any]) -> None:
    file = lakehouse(grants)
    assert check(file) == []
    for again in (file.model_dump(mode="json"), file.model_dump(mode="json", exclude_unset=True)):
        assert Lakehouse.model_validate(again) == file


def test_a_masked_namespace_covers_what_is_nested_and_not_what_only_begins_alike() -> None:
    file = lakehouse({})
    assert [".".join(each) for each in covered(file, "lake.sales")] == [
        "lake.sales.customers",
        "lake.sales.orders",
        "lake.sales.eu.customers",
    ]
    assert list(covered(file, "lake.sales.eu.v")) == []
    assert split(file, "lake.sales.eu.customers") == ("lake", "sales.eu", "customers")


def test_a_mask_of_a_column_goes_before_that_of_its_tag() -> None:
    table = Table.model_validate({"columns": COLUMNS | {"phone": {"type": "string", "tags": ["gdpr", "pii"]}}})
    assert masks(table, {"tag:pii": "mask", "email": "lower(email)"}) == (("email", "lower(email)"), ("phone", "mask"))
    assert masks(table, {"tag:none": "mask"}) == ()


@pytest.mark.parametrize("other", [["read"], ["write"], ["manage"]])
@pytest.mark.parametrize("target", ["lake", "lake.sales", "lake.sales.customers"])
def test_a_grant_that_goes_around_a_filter_is_refused_whatever_its_role(target: str, other: list[str]) -> None:
    roles = {
        "narrow": {"grants": {"lake.sales.customers": {"verbs": ["read"], "rows": "id = 1"}}},
        "wide": {"grants": {target: other}},
    }
    for enforce in ("best-effort", None):
        file = lakehouse({}, roles=roles, principals={"p": {"roles": ["wide", "narrow"]}}, enforce=enforce)
        found = [each for each in check_access(file) if each.at[:5] == (
            *("access", "roles", "narrow", "grants"), "lake.sales.customers")]  # fmt: skip
        assert any("principal p also has role wide" in each.message for each in found)
    apart = lakehouse({}, roles=roles, principals={"p": {"roles": ["wide"]}, "q": {"roles": ["narrow"]}})
    assert check(apart) == []


def test_filters_of_two_roles_are_joined_and_masks_must_be_the_same() -> None:
    def of(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
        roles = {
            name: {"grants": {"lake.sales.customers": {"verbs": ["read"], **each}}}
            for name, each in (("one", first), ("two", second))
        }
        file = lakehouse({}, roles=roles, principals={"p": {"roles": ["one", "two"]}})
        return [each.message for each in check(file)]

    assert of({"rows": "id = 1"}, {"rows": "id = 2"}) == []
    assert of({"columns": {"email": "mask"}}, {"columns": {"tag:pii": "mask"}}) == []
    assert "in the same way" in of({"columns": {"email": "mask"}}, {"columns": {"region": "mask"}})[0]
    assert "every row" in of({"rows": "id = 1"}, {"columns": {"email": "mask"}})[0]
