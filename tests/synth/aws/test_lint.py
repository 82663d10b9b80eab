"""IAM linters that know every action and resource type of AWS find nothing in the stacks' policies.

parliament looks for mistakes; cloudsplaining, which checkov brings, for what a policy would let somebody do.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.synth.aws.attached import ACCOUNT, resolved
from tests.synth.aws.conftest import STACKS

#: What cloudsplaining calls a risk: https://cloudsplaining.readthedocs.io/en/latest/glossary/
RISKS = (
    "allows_data_exfiltration_actions",
    "allows_privilege_escalation",
    "credentials_exposure",
    "infrastructure_modification",
    "permissions_management_without_constraints",
    "service_wildcard",
    "write_actions_without_constraints",
)

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


def risks(policy: str) -> dict[str, Any]:
    """What cloudsplaining finds in a policy, by its kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cloudsplaining.scan.policy_document import PolicyDocument

    document = PolicyDocument(json.loads(policy))
    return {kind: found for kind in RISKS if (found := getattr(document, kind))}


@pytest.mark.parametrize("name", STACKS)
def test_nobody_gets_a_risky_permission(stacks: Mapping[str, Any], name: str) -> None:
    policies = stacks[name]["resource"]["aws_iam_policy"]
    found = {key: risks(resolved(each["policy"])) for key, each in policies.items()}
    assert "service_wildcard" in found.pop("boundary")  # it gives nothing
    assert {key: of for key, of in found.items() if of} == {}


@pytest.mark.parametrize(
    ("action", "risk"),
    [
        ("s3:GetObject", "allows_data_exfiltration_actions"),
        ("iam:PassRole", "infrastructure_modification"),
        ("iam:CreatePolicyVersion", "allows_privilege_escalation"),
        ("iam:CreateAccessKey", "credentials_exposure"),
        ("s3:PutBucketPolicy", "permissions_management_without_constraints"),
        ("glue:*", "service_wildcard"),
        ("glue:DeleteTable", "write_actions_without_constraints"),
    ],
)
def test_each_risk_would_be_found(action: str, risk: str) -> None:
    statement = {"Effect": "Allow", "Action": [action], "Resource": "*"}
    assert risk in risks(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
