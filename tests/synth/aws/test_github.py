"""The roles of the workflows: who takes them, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.synth.aws.attached import policies, resolved
from tests.synth.aws.conftest import synthesise
from tests.synth.aws.federation import Job, takes
from tests.synth.aws.refreshes import requests
from tests.synth.aws.simulator import Request, allowed


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


REGIONS = {"aws": "eu-west-1", "machines": "eu-west-1", "tables": "eu-west-1"}
OWN = "arn:aws:iam::123456789012"


@pytest.fixture(scope="module")
def all_stacks(stacks: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """One of managed services, one on instances, one with S3 Tables, all with workflows."""
    stack = {"region": "eu-west-1", "store": "s3", "catalogs": {"lake": "glue"}, "backend": {"bucket": "a-state"}}
    stack |= {"github": {"repository": "example/lakehouse", "owner_id": 123456, "repository_id": 456789}}
    content = {
        "name": "demo",
        "buckets": {"warehouse": {}},
        "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"a": {}}}},
        "engines": {"spark": {}, "trino": {}},
        "stacks": {"machines": {**stack, "engines": "ec2"}, "tables": {**stack, "store": "s3tables"}},
    }
    folder = tmp_path_factory.mktemp("workflows")
    (folder / "lakehouse.yaml").write_text(json.dumps(content))  # JSON is YAML
    return {"aws": stacks["aws"], **synthesise(folder, folder / "lakehouse.yaml")}


def _documents(stack: Mapping[str, Any], role: str) -> list[Any]:
    return [json.loads(resolved(each)) for each in policies(stack, role)]


@pytest.mark.parametrize("name", REGIONS)
def test_planning_may_refresh_every_resource(all_stacks: Mapping[str, Any], name: str) -> None:
    stack = all_stacks[name]
    documents = _documents(stack, "github_plan")
    bucket = f"{'employees' if name == 'aws' else 'demo'}-{name}-x-123456789012-eu-west-1"
    wanted = list(requests(stack, REGIONS[name], bucket))
    assert len(wanted) >= 25
    assert [each for each in wanted if not allowed(documents, each)] == []


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("s3:GetObject", "arn:aws:s3:::of-others/a"),
        ("s3:ListBucket", "arn:aws:s3:::of-others"),
        ("dynamodb:Scan", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"),
        ("glue:GetTable", "arn:aws:glue:eu-west-1:123456789012:table/of_others/t"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:of-others-AbCdEf"),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/password"),
        ("logs:GetLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:/of-others:log-stream:a"),
        ("athena:GetQueryResults", "arn:aws:athena:eu-west-1:123456789012:workgroup/employees-aws-bi"),
        ("lambda:GetFunction", "arn:aws:lambda:eu-west-1:123456789012:function:f"),
        ("iam:GetRole", f"{OWN}:role/of-others"),
        ("sqs:ReceiveMessage", "arn:aws:sqs:eu-west-1:123456789012:q"),
    ],
)
def test_planning_reads_nothing_of_the_account(all_stacks: Mapping[str, Any], name: str, action: str, on: str) -> None:
    assert not allowed(_documents(all_stacks[name], "github_plan"), Request(action, (on,)))
    attached = all_stacks[name]["resource"]["aws_iam_role_policy_attachment"].values()
    of_aws = [each["policy_arn"] for each in attached if each["role"] == "${aws_iam_role.github_plan.name}"]
    assert [arn for arn in of_aws if ":iam::aws:policy/" in arn] == []


def test_planning_only_reads(all_stacks: Mapping[str, Any]) -> None:
    reads = ("BatchGet", "Get", "List", "Describe", "View", "Decrypt")
    for stack in all_stacks.values():
        actions = {
            action
            for document in _documents(stack, "github_plan")
            for each in document["Statement"]
            if each["Effect"] == "Allow"
            for action in each["Action"]
        }
        assert [each for each in actions if not each.partition(":")[2].startswith(reads)] == []
        assert 40 <= len(actions) <= 100


BOUNDED = {"iam:PermissionsBoundary": f"{OWN}:policy/employees-aws-boundary-eu-west-1"}
ROLE = f"{OWN}:role/employees-aws-bi-eu-west-1"
GIVES = ["AttachRolePolicy", "CreateRole", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy"]
GIVES += ["PutRolePermissionsBoundary"]


@pytest.mark.parametrize("action", GIVES)
def test_who_deploys_gives_rights_only_within_the_boundary(stacks: Mapping[str, Any], action: str) -> None:
    documents = _documents(stacks["aws"], "github_deploy")
    assert allowed(documents, Request(f"iam:{action}", (ROLE,), BOUNDED))
    assert not allowed(documents, Request(f"iam:{action}", (ROLE,)))
    assert not allowed(
        documents, Request(f"iam:{action}", (ROLE,), {"iam:PermissionsBoundary": f"{OWN}:policy/another"})
    )
    assert not allowed(documents, Request(f"iam:{action}", (f"{OWN}:role/of-others",), BOUNDED))


@pytest.mark.parametrize(
    "on",
    [
        f"{OWN}:role/employees-aws-ci-deploy-eu-west-1",
        f"{OWN}:policy/employees-aws-ci-deploy-eu-west-1-1",
        f"{OWN}:policy/employees-aws-boundary-eu-west-1",
        # Of a stack `aws-test` of the same lakehouse, whose names begin with those of the stack `aws`.
        f"{OWN}:role/employees-aws-test-ci-deploy-eu-west-1",
        f"{OWN}:policy/employees-aws-test-ci-deploy-eu-west-1-1",
        f"{OWN}:policy/employees-aws-test-boundary-eu-west-1",
    ],
)
def test_who_deploys_changes_neither_itself_nor_the_boundary(stacks: Mapping[str, Any], on: str) -> None:
    documents = _documents(stacks["aws"], "github_deploy")
    writes = [*GIVES, "DeleteRole", "UpdateAssumeRolePolicy", "UpdateRole", "PassRole", "TagRole"]
    writes += ["CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "DeleteRolePermissionsBoundary"]
    assert [each for each in writes if allowed(documents, Request(f"iam:{each}", (on,), BOUNDED))] == []
    reads = ("GetRole", "ListAttachedRolePolicies") if ":role/" in on else ("GetPolicy", "GetPolicyVersion")
    assert all(allowed(documents, Request(f"iam:{each}", (on,))) for each in reads)  # a refresh


@pytest.mark.parametrize("name", REGIONS)
def test_every_role_but_the_one_that_deploys_has_the_boundary(all_stacks: Mapping[str, Any], name: str) -> None:
    resource = all_stacks[name]["resource"]
    without = [role for role, each in resource["aws_iam_role"].items() if "permissions_boundary" not in each]
    assert without == ["github_deploy"]
    boundary = json.loads(resolved(resource["aws_iam_policy"]["boundary"]["policy"]))
    for action in ("iam:CreateUser", "iam:AttachRolePolicy", "organizations:LeaveOrganization", "iam:PutRolePolicy"):
        assert not allowed([boundary], Request(action, ("*",))), action
    for role in resource["aws_iam_role"]:  # it takes nothing from what the roles have
        for document in _documents(all_stacks[name], role) if role != "github_deploy" else ():
            for each in document["Statement"]:
                for action in each["Action"] if each["Effect"] == "Allow" else ():
                    context = {"iam:PassedToService": "emr-serverless.amazonaws.com"}
                    assert allowed([boundary], Request(action, (each["Resource"][0],), context)), (role, action)


def test_who_deploys_needs_no_other_rights_for_other_contents(all_stacks: Mapping[str, Any]) -> None:
    """Its policies may be changed only by hand, so a new namespace must not change them."""
    for name, stack in all_stacks.items():
        text = "".join(policies(stack, "github_deploy")).replace("glue.amazonaws.com", "")  # gets the optimizers' role
        assert [each for each in ("glue", "warehouse", "people", "aws_kms_key", "s3tables") if each in text] == [], name
