"""An IAM linter that knows every action and resource type of AWS finds nothing in the stacks' policies."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.synth.aws.attached import ACCOUNT, resolved
from tests.synth.aws.conftest import STACKS

#: It asks for a resource of each type that the action knows, where one is meant.
ACCEPTED = "RESOURCE_MISMATCH: [{'action': 'athena:ListTagsForResource', 'required_format': 'arn:*:athena:*:*:capacity-"


@pytest.fixture(scope="module")
def lint() -> Callable[[str], list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources
        from parliament import analyze_policy_string  # type: ignore[import-untyped]

    def found(policy: str) -> list[str]:
        return [f"{each.issue}: {each.detail} {each.location}" for each in analyze_policy_string(policy).findings]

    return found


@pytest.mark.parametrize("name", STACKS)
def test_the_linter_finds_nothing(lint: Callable[[str], list[str]], stacks: Mapping[str, Any], name: str) -> None:
    policies = stacks[name]["resource"]["aws_iam_policy"]
    assert len(policies) >= 5
    found = {key: lint(resolved(each["policy"])) for key, each in policies.items()}
    limit = found.pop("boundary")  # on everything, because it gives nothing
    assert [each.partition(":")[0] for each in limit] == ["RESOURCE_STAR"]
    assert {
        key: left for key, of in found.items() if (left := [each for each in of if not each.startswith(ACCEPTED)])
    } == {}


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "s3:GetObjects", "Resource": "arn:aws:s3:::bucket/*"},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket"},
        {"Action": "glue:GetTable", "Resource": f"arn:aws:glue:eu-west-1:{ACCOUNT}:crawler/c"},
    ],
)
def test_the_linter_would_find_it(lint: Callable[[str], list[str]], statement: Mapping[str, str]) -> None:
    assert lint(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}))
