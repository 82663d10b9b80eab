from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.access.packed import Statement, packed, text
from lakehouse.access.policy import PolicyStatement

VIA = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}

names = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=3, unique=True).map(tuple)
statements = st.lists(
    st.builds(PolicyStatement, st.sampled_from(["One", "OneMore", "Two"]), names, names, st.sampled_from([{}, VIA])),
    max_size=8,
)


def pairs(found: Iterable[Statement]) -> set[tuple[str, str, str]]:
    """Everything that statements allow: under a condition, an action on a resource."""
    return {
        (json.dumps(each.conditions), action, resource)
        for each in found
        if isinstance(each, PolicyStatement)
        for action in each.actions
        for resource in each.resources
    }


@given(statements, st.integers(220, 400))
def test_policies_allow_the_same_and_none_is_too_long(found: list[PolicyStatement], room: int) -> None:
    policies = packed(found, room)
    assert pairs(each for policy in policies for each in policy) == pairs(found)
    assert all(len(text(policy)) <= room for policy in policies)
    for policy in policies:
        sids = [each.sid for each in policy if isinstance(each, PolicyStatement)]
        assert sids
        assert len(sids) == len(set(sids))


@given(statements)
def test_one_policy_has_no_two_statements_with_the_same_actions(found: list[PolicyStatement]) -> None:
    for policy in packed(found, 10_000):
        own = [(json.dumps(each.conditions), each.actions) for each in policy if isinstance(each, PolicyStatement)]
        assert len(own) == len(set(own))
        assert pairs(policy) == pairs(found)


def test_resources_with_the_same_actions_share_a_statement_and_policies_are_filled() -> None:
    each = [PolicyStatement("S", ("s3:GetObject",), (f"resource-{nth:03}",)) for nth in range(100)]
    policies = packed(each, 500)
    assert [len(policy) for policy in policies] == [1] * len(policies)
    assert all(len(text(policy)) > 500 - 2 * len('"resource-000",') - len("x" * 24) for policy in policies[:-1])


def test_a_statement_stays_whole_if_it_can() -> None:
    """So each policy has all the resources that an action needs."""
    each = [PolicyStatement("G", ("glue:GetTable",), ("catalog", f"database/{n}", f"table/{n}/*")) for n in range(50)]
    for policy in packed(each, 400):
        [only] = policy
        assert isinstance(only, PolicyStatement)
        assert only.resources[0] == "catalog"
        assert len(only.resources) % 2 == 1


def test_a_condition_that_is_too_long_is_divided_by_its_values() -> None:
    prefixes = [f"lake/{nth:03}/*" for nth in range(100)]
    policies = packed(
        [PolicyStatement("List", ("s3:ListBucket",), ("b",), {"StringLike": {"s3:prefix": prefixes}})], 400
    )
    left = [each for policy in policies for each in policy if isinstance(each, PolicyStatement)]
    assert [prefix for each in left for prefix in each.conditions["StringLike"]["s3:prefix"]] == prefixes
    assert {each.resources for each in left} == {("b",)}
    assert all(len(text(policy)) <= 400 for policy in policies)


def test_a_denial_stays_whole() -> None:
    deny = {"Sid": "No", "Effect": "Deny", "Action": ["s3:GetObject"], "NotResource": ["x" * 200]}
    allow = PolicyStatement("Yes", ("s3:GetObject",), ("y" * 150,))
    assert packed([allow, deny], 350) == [[allow], [deny]]


@pytest.mark.parametrize(
    "whole",
    [
        PolicyStatement("Long", ("s3:GetObject",), ("x" * 300,)),
        {"Sid": "Long", "Effect": "Deny", "Action": ["s3:GetObject"], "NotResource": ["x" * 300]},
    ],
)
def test_what_fits_into_no_policy_is_named(whole: Statement) -> None:
    with pytest.raises(ValueError, match="the statement Long is too long"):
        packed([whole], 200)


def test_statements_on_the_same_resources_are_one() -> None:
    """Each would take its resources' room again."""
    apart = [PolicyStatement("Read", ("s3:GetObject",), ("r",)), PolicyStatement("Write", ("s3:PutObject",), ("r",))]
    [[one]] = packed(apart, 6_144)
    assert isinstance(one, PolicyStatement)
    assert (one.actions, one.resources) == (("s3:GetObject", "s3:PutObject"), ("r",))
