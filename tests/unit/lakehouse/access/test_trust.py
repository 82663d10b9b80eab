"""Who takes a principal's role. What IAM does with the conditions is decided by the simulator of the stacks' tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lakehouse.access.names import Names
from lakehouse.access.trust import trust
from lakehouse.spec.roles import Principal
from tests.synth.aws.simulator import holds

NAMES = Names("demo", "aws", "eu-west-1", "123456789012")
OWN = "arn:aws:iam::123456789012"
VENDOR = "arn:aws:iam::999999999999"
FOLDER = f"{OWN}:role/aws-reserved/sso.amazonaws.com"
TAG = {"aws:PrincipalTag/lakehouse-principal": "bi"}
ENTRIES = [
    f"{OWN}:role/analysts",
    f"{FOLDER}/*/AWSReservedSSO_Analysts_*",
    {"arn": f"{VENDOR}:role/loader", "external_id": "a-word"},
]


def takes(entries: list[Any] | None, who: str, **context: str) -> bool:
    """Whether a user or role that may assume any role can assume that of bi."""
    account = f"{who.rpartition(':')[0]}:root"
    said: Mapping[str, str] = {"aws:PrincipalArn": who, **context}
    statements = trust(NAMES, "bi", Principal.model_validate({"trust": entries}))
    return any(each["Principal"] == {"AWS": account} and holds(each["Condition"], said) for each in statements)


@pytest.mark.parametrize(
    ("who", "context", "may"),
    [
        (f"{OWN}:role/analysts", {}, True),
        (f"{OWN}:role/analysts-of-others", {}, False),
        (f"{OWN}:user/analysts", {}, False),
        (f"{VENDOR}:role/analysts", {}, False),
        (f"{OWN}:role/other", TAG, False),  # a tag is not enough
        (f"{FOLDER}/eu-west-1/AWSReservedSSO_Analysts_0123456789abcdef", {}, True),
        (f"{FOLDER}/eu-west-1/AWSReservedSSO_Admins_0123456789abcdef", {}, False),
        (f"{OWN}:role/AWSReservedSSO_Analysts_0123456789abcdef", {}, False),  # not in the folder of AWS
        (f"{VENDOR}:role/loader", {"sts:ExternalId": "a-word"}, True),
        (f"{VENDOR}:role/loader", {"sts:ExternalId": "another"}, False),
        (f"{VENDOR}:role/loader", {}, False),
        (f"{VENDOR}:role/other", {"sts:ExternalId": "a-word"}, False),
    ],
)
def test_only_who_is_named_takes_the_role(who: str, context: dict[str, str], may: bool) -> None:
    assert takes(ENTRIES, who, **context) is may


def test_without_names_it_is_the_tag() -> None:
    assert takes(None, f"{OWN}:role/other", **TAG)
    assert not takes(None, f"{OWN}:role/other")
    assert not takes(None, f"{VENDOR}:role/other", **TAG)


def test_the_roles_of_an_account_are_one_statement() -> None:
    assert len(trust(NAMES, "bi", Principal.model_validate({"trust": ENTRIES}))) == 2
