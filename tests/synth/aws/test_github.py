"""The roles of the workflows: who takes them, and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.synth.aws.attached import policies
from tests.synth.aws.federation import Job, takes


def _trust(stacks: Mapping[str, Any], role: str) -> str:
    trust: str = stacks["aws"]["resource"]["aws_iam_role"][f"github_{role}"]["assume_role_policy"]
    return trust


@pytest.mark.parametrize("lasting", [False, True], ids=["names", "names and ids"])
@pytest.mark.parametrize(
    ("job", "role"),
    [
        ({"environment": "aws"}, "deploy"),
        ({}, "plan"),
        ({"ref": "refs/pull/7/merge", "workflow": ".github/workflows/pull-request.yml"}, "plan"),
        ({"workflow": ".github/workflows/drift.yml"}, "plan"),
    ],
)
def test_a_job_takes_its_role_in_old_and_in_new_repositories(
    stacks: Mapping[str, Any], job: dict[str, Any], role: str, lasting: bool
) -> None:
    taken = [each for each in ("deploy", "plan") if takes(Job(**job, lasting=lasting), _trust(stacks, each))]
    assert taken == [role]


@pytest.mark.parametrize(
    "other",
    [
        {"repository_id": 1},  # another one that got the name
        {"repository_id": 1, "owner_id": 1},
        {"repository": "example/other", "repository_id": 1},
        {"repository": "example/lakehouse2"},
        {"environment": "production"},
        {"audience": "https://github.com/example"},
    ],
)
@pytest.mark.parametrize("lasting", [False, True], ids=["names", "names and ids"])
def test_no_other_job_takes_a_role(stacks: Mapping[str, Any], other: dict[str, Any], lasting: bool) -> None:
    for job in ({"environment": "aws"}, {}, {"ref": "refs/pull/7/merge"}):
        for role in ("deploy", "plan"):
            assert not takes(Job(**{**job, **other, "lasting": lasting}), _trust(stacks, role)), (job, role)


@pytest.mark.parametrize(
    "other",
    [
        {"ref": "refs/heads/a-branch"},  # the environment may let it in
        {"ref": "refs/pull/7/merge"},
        {"workflow": ".github/workflows/another.yml"},
    ],
)
def test_only_the_workflow_of_the_main_branch_deploys(stacks: Mapping[str, Any], other: dict[str, Any]) -> None:
    assert takes(Job(environment="aws", lasting=True), _trust(stacks, "deploy"))
    assert not takes(Job(environment="aws", lasting=True, **other), _trust(stacks, "deploy"))


def test_the_accounts_provider_is_used_and_never_made_or_destroyed(stacks: Mapping[str, Any]) -> None:
    resource = stacks["aws"]["resource"]
    assert "aws_iam_openid_connect_provider" not in resource
    [provider] = stacks["aws"]["data"]["aws_iam_openid_connect_provider"].values()
    assert provider["arn"].endswith(":oidc-provider/token.actions.githubusercontent.com")
    former = {"from": "aws_iam_openid_connect_provider.github_oidc", "lifecycle": {"destroy": False}}
    assert stacks["aws"]["removed"] == [former]
    for policy in policies(stacks["aws"], "github_deploy"):
        assert "DeleteOpenIDConnectProvider" not in policy
        assert "CreateOpenIDConnectProvider" not in policy
