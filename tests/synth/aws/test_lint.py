"""An IAM linter that knows every action and resource type of AWS finds nothing in the stacks' policies."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.synth.aws.conftest import STACKS

ACCOUNT = "123456789012"
_ARNS = {  # what Terraform's expressions would be after a deploy
    "data.aws_caller_identity": ACCOUNT,
    "aws_kms_key": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
    "aws_s3_bucket": "arn:aws:s3:::bucket",
    "aws_emrserverless_application": f"arn:aws:emr-serverless:eu-west-1:{ACCOUNT}:/applications/00f0000000000000",
    "aws_secretsmanager_secret": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:demo-AbCdEf",
    "aws_cloudwatch_log_group": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/demo",
}


@pytest.fixture(scope="module")
def lint() -> Callable[[str], list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources
        from parliament import analyze_policy_string  # type: ignore[import-untyped]

    def found(policy: str) -> list[str]:
        return [f"{each.issue}: {each.detail} {each.location}" for each in analyze_policy_string(policy).findings]

    return found


def _resolved(policy: str) -> str:
    def value(match: re.Match[str]) -> str:
        return next(arn for start, arn in _ARNS.items() if match[1].startswith(start))

    return re.sub(r"\$\{([^}]+)\}", value, policy)


@pytest.mark.parametrize("name", STACKS)
def test_the_linter_finds_nothing(lint: Callable[[str], list[str]], stacks: Mapping[str, Any], name: str) -> None:
    policies = stacks[name]["resource"]["aws_iam_role_policy"]
    assert len(policies) >= 5
    assert [found for each in policies.values() for found in lint(_resolved(each["policy"]))] == []


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
