"""The way back from policies of S3 to verbs: the compiler's own come back as the same grants, none is widened."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.reconciler.objects.user import policy_of
from lakehouse.access.s3_verbs import administers, expressed, gives, touches, understood
from lakehouse.spec import Lakehouse

TABLE: Any = {"columns": {"a": "long"}}
TARGETS = (
    *("lake.bronze", "lake.bronze.in", "lake.silver", "sea.n"),
    *("lake.bronze.raw", "lake.bronze.in.deep", "lake.silver.far", "lake.silver.near", "sea.n.t", "lake.silver.v"),
)
ARN = "arn:aws:s3:::"


def lakehouse(grants: dict[str, list[str]]) -> Lakehouse:
    """Nested namespaces, a table elsewhere, one that is written elsewhere, a view; one principal with the grants."""
    namespaces = {
        "bronze": {"tables": {"raw": {**TABLE, "properties": {"write.data.path": "s3://other/raw-data"}}}},
        "bronze.in": {"tables": {"deep": TABLE}},
        "silver": {
            "tables": {"far": {**TABLE, "location": "s3://other/far"}, "near": TABLE},
            "views": {"v": {"sql": "SELECT 1 AS a", "columns": {"a": "int"}}},
        },
    }
    return Lakehouse.model_validate(
        {
            "name": "demo",
            "buckets": {"warehouse": {}, "other": {}},
            "catalogs": {
                "lake": {"location": "s3://warehouse/lake", "namespaces": namespaces},
                "sea": {"location": "s3://other/sea", "namespaces": {"n": {"tables": {"t": TABLE}}}},
            },
            "access": {"roles": {"r": {"grants": grants}}, "principals": {"a": {"roles": ["r"]}}},
            "stacks": {
                "local": {"runtime": "process", "store": "minio", "catalogs": {"lake": "nessie", "sea": "nessie"}}
            },
        }
    )


def compiled(grants: dict[str, list[str]]) -> dict[str, Any]:
    return policy_of(lakehouse(grants), "a") or {"Statement": []}


def simplest(grants: dict[str, str]) -> dict[str, str]:
    """Without grants that another includes; `manage` of files is `write`, except of a view, which has no `write`."""
    views = {"lake.silver.v"}
    equal = {on: verb if verb != "manage" or on in views else "write" for on, verb in grants.items()}
    rank = {"read": 0, "write": 1, "manage": 1}

    def inside(on: str, verb: str) -> bool:
        return any(other != on and on.startswith(f"{other}.") and rank[equal[other]] >= rank[verb] for other in equal)

    return {on: verb for on, verb in equal.items() if not inside(on, verb)}


GRANTS = st.dictionaries(
    st.sampled_from(TARGETS), st.sampled_from(["read", "write", "manage"]), min_size=1, max_size=6
).filter(lambda grants: grants.get("lake.silver.v") != "write")


@settings(max_examples=150, deadline=None)
@given(GRANTS, st.randoms(use_true_random=False))
def test_what_the_compiler_made_comes_back_as_the_same_grants(grants: dict[str, str], chance: random.Random) -> None:
    """However its statements are split, joined, ordered and named by whoever copied it."""
    policy = compiled({on: [verb] for on, verb in grants.items()})
    statements = [dict(each) for each in policy["Statement"]]
    for each in statements:
        each.pop("Sid")
        chance.shuffle(each["Resource"])
        if len(each["Action"]) == 1 and chance.random() < 0.5:
            each["Action"] = each["Action"][0]
    chance.shuffle(statements)
    found = expressed(lakehouse({}), {"Statement": statements})
    assert dict(found.verbs) == simplest(grants)
    assert found.rest == ()
    again = compiled({on: [verb] for on, verb in found.verbs.items()})
    assert gives([policy], again)
    assert gives([again], policy)


@settings(max_examples=150, deadline=None)
@given(GRANTS, st.data())
def test_a_policy_that_lacks_a_call_is_never_widened(grants: dict[str, str], data: st.DataObject) -> None:
    policy = compiled({on: [verb] for on, verb in grants.items()})
    calls = sorted(understood([policy]).calls)
    lost = data.draw(st.sampled_from(calls))
    left = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": each.action,
                "Resource": ARN + each.resource,
                **({} if each.prefix is None else {"Condition": {"StringLike": {"s3:prefix": each.prefix}}}),
            }
            for each in calls
            if each != lost
        ]
    }
    found = expressed(lakehouse({}), left)
    said = compiled({on: [verb] for on, verb in found.verbs.items()})
    assert gives([left], said), "the file says no more than the policy gives"
    assert bool(found.rest) == (not gives([said], left)), "and what it says less is reported"


def statement(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


SOME = lakehouse({})


@pytest.mark.parametrize(
    ("statements", "verbs", "rest"),
    [
        (
            [statement("s3:*", f"{ARN}*")],
            {"lake": "write", "sea": "write"},
            ("* on *",),
        ),
        (
            [
                statement(
                    ["s3:GetObject", "s3:GetBucketLocation", "s3:ListBucket"], [f"{ARN}other", f"{ARN}other/sea/*"]
                )
            ],
            {"sea": "read"},
            ("ListBucket on other", "GetObject on other/sea/*"),
        ),
        ([statement(["s3:GetObject", "s3:GetBucketLocation"], f"{ARN}*")], {}, ("GetBucketLocation, GetObject on *",)),
        (
            [statement("s3:GetObject", f"{ARN}warehouse/lake/silver/*"), {**statement("s3:*", "*"), "Effect": "Deny"}],
            {},
            ("a Deny", "GetObject on warehouse/lake/silver/*"),
        ),
        (
            [statement("s3:*", f"{ARN}*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})],
            {},
            ("a statement with IpAddress",),
        ),
        ([statement("s3:*", f"{ARN}warehouse/${{aws:username}}/*")], {}, ("a statement with variables",)),
        ([{"Effect": "Allow", "NotAction": "s3:DeleteObject", "Resource": "*"}], {}, ("a statement with NotAction",)),
        ([statement("kms:*", None)], {}, ("kms:* without a resource",)),
    ],
)
def test_policies_that_people_write(statements: list[Any], verbs: dict[str, str], rest: tuple[str, ...]) -> None:
    found = expressed(SOME, {"Statement": statements})
    assert dict(found.verbs) == verbs
    assert set(found.rest) == set(rest)


def test_a_condition_on_the_prefix_gives_no_call_but_the_list_of_it() -> None:
    listing = {"Condition": {"StringLike": {"s3:prefix": ["lake/silver/", "lake/silver/*"]}}}
    have = understood([{"Statement": [statement("s3:*", f"{ARN}*", **listing)]}])
    wanted = understood([compiled({"lake.silver.near": ["read"]})]).calls
    assert {each.action for each in wanted if have.gives([each])} == {"s3:ListBucket"}
    exact = {"Condition": {"StringEquals": {"s3:prefix": "lake/silver/*"}}}
    assert understood([{"Statement": [statement("s3:ListBucket", f"{ARN}*", **exact)]}]).unread


def test_a_letter_of_a_pattern_is_not_another() -> None:
    have = understood([{"Statement": [statement("s3:Get?bject", f"{ARN}warehouse/lake/silver.*")]}])
    [wanted] = understood([{"Statement": [statement("s3:GetObject", f"{ARN}warehouse/lake/silverx*")]}]).calls
    [other] = understood([{"Statement": [statement("s3:Get*bject", f"{ARN}warehouse/lake/silver.*")]}]).calls
    assert (have.gives([wanted]), have.gives([other])) == (False, False)


@pytest.mark.parametrize(
    ("resource", "there"),
    [
        ("*", True),
        (f"{ARN}warehouse", True),
        (f"{ARN}warehouse/*", True),
        (f"{ARN}warehouse/lake/silver/near/x", True),
        (f"{ARN}other/far/*", True),
        (f"{ARN}other/elsewhere/*", False),
        (f"{ARN}warehouse/lakes/*", False),
        (f"{ARN}third*", False),
    ],
)
def test_a_policy_bears_on_the_file_or_not(resource: str, there: bool) -> None:
    assert touches(SOME, [{"Statement": [statement("s3:GetObject", resource)]}]) == there


def test_who_may_make_users_administers() -> None:
    assert [
        administers({"Statement": [each]})
        for each in (
            statement("admin:*", None),
            statement("*", "*"),
            statement("iam:CreateUser", "*"),
            {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
            statement("s3:*", "*"),
            {**statement("*", "*"), "Effect": "Deny"},
            statement("admin:ServerInfo", "*"),
        )
    ] == [True, True, True, True, False, False, False]
