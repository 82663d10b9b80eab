"""The roles with which workflows of GitHub plan and deploy a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lakehouse.access.names import AUDIENCE, GITHUB, Names
from lakehouse.access.packed import Statement
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws.boundary import boundary_arn, boundary_name
from lakehouse.aws.iam import role
from lakehouse.aws.plans import state_object, state_read
from lakehouse.cdk import Construct, data
from lakehouse.spec.stacks import GitHub

#: The branch whose workflows deploy, and the workflow that does.
_BRANCH = "refs/heads/main"
_DEPLOYS = ".github/workflows/deploy.yml"
# The actions that Terraform needs to manage the stack's own roles.
_EDIT_ROLES = """
    DeleteRole GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies TagRole
    UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription
"""
# Those that give rights, for which IAM knows the boundary of the role:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
_EDIT_BOUNDED = """
    AttachRolePolicy CreateRole DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary PutRolePolicy
"""
_EDIT_PROFILES = """
    AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile
    RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile
"""
_EDIT_POLICIES = """
    CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListPolicyVersions
    TagPolicy UntagPolicy
"""
# The actions on the service-linked role that starts instances. PowerUserAccess can already create and delete it.
_EDIT_SCALING_ROLE = "GetRole GetServiceLinkedRoleDeletionStatus TagRole UntagRole UpdateRoleDescription"
_SERVICES = [
    f"{service}.amazonaws.com"
    for service in ("autoscaling", "codebuild", "ec2", "emr-serverless", "glue", "scheduler", "vpc-flow-logs")
]


class GitHubRoles(Construct):
    """Two roles for the workflows of one repository, one to plan and one to deploy. They use OIDC and no stored key.

    The account's OIDC provider is used and not made here: an account has at most one for GitHub, which others use too.
    `lakehouse aws prepare` makes it where there is none.
    https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        repository: GitHub,
        reads: Sequence[Statement],
        state: tuple[str, str],
        instances: bool,
    ) -> None:
        """``reads`` are the permissions to plan, ``state`` is the backend's bucket and key."""
        super().__init__(scope, name)
        provider = data(self, "oidc", "aws_iam_openid_connect_provider", arn=names.github).ref("arn")
        self.plan = role(
            self,
            "plan",
            names=names,
            called="ci-plan",
            description="Pull requests, main and drift: reads configuration and tables' metadata, no data",
            trust=[trust(provider, repository, "pull_request", f"ref:{_BRANCH}")],
            may=reads,
        )
        # PowerUserAccess excludes IAM. The IAM actions that the stack needs are allowed only on its own roles, all with
        # the stack's boundary, and not on this one. So its policies do not depend on the file's contents.
        self.deploy = role(
            self,
            "deploy",
            names=names,
            called="ci-deploy",
            description=f"Deploys and bootstraps: deploy.yml of main, in the environment {names.stack}",
            trust=[trust(provider, repository, f"environment:{names.stack}", workflow=_DEPLOYS)],
            may=[
                *state_read(names, state),
                *_state_write(names, state),
                *_roles(names, instances),
                _not_itself(names),
            ],
            managed=["PowerUserAccess"],
            bounded=False,
        )


def trust(provider: str, repository: GitHub, *subjects: str, workflow: str = "") -> dict[str, Any]:
    """Let jobs of the repository take a role; if ``workflow`` is set, only jobs of that file on the main branch.

    The ``sub`` claim has one of two forms, and both are trusted: repositories that were made, renamed or moved since
    July 2026 have the ids of owner and repository in it. ``repository_id`` is in all tokens: a repository that gets the
    name which this one had is not trusted. STS knows these claims since January 2026.
    https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    """
    owner, _, name = repository.repository.partition("/")
    lasting = f"{owner}@{repository.owner_id}/{name}@{repository.repository_id}"
    claims: dict[str, Any] = {
        f"{GITHUB}:aud": AUDIENCE,
        f"{GITHUB}:sub": [f"repo:{form}:{each}" for form in (repository.repository, lasting) for each in subjects],
        f"{GITHUB}:repository_id": str(repository.repository_id),
    }
    if workflow:
        claims[f"{GITHUB}:job_workflow_ref"] = f"{repository.repository}/{workflow}@{_BRANCH}"
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }


def _state_write(names: Names, state: tuple[str, str]) -> list[PolicyStatement]:
    """Only for the role that deploys. The other plans without the lock, because the lock is an object too."""
    key = state_object(names, state)
    return [
        PolicyStatement("StateWrite", ("s3:PutObject",), (key,)),
        PolicyStatement("StateLock", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), (f"{key}.tflock",)),
    ]


def _roles(names: Names, instances: bool) -> list[PolicyStatement]:
    kinds = ("role", "instance-profile", "policy")
    roles, profiles, policies = ((names.arn("iam", f"{kind}/{names.prefix}-*", region=False),) for kind in kinds)
    boundary = {"ArnLike": {"iam:PermissionsBoundary": boundary_arn(names)}}
    found = [
        PolicyStatement("Roles", _iam(_EDIT_ROLES), roles),
        PolicyStatement("BoundedRoles", _iam(_EDIT_BOUNDED), roles, boundary),
        PolicyStatement("InstanceProfiles", _iam(_EDIT_PROFILES), profiles),
        PolicyStatement("Policies", _iam(_EDIT_POLICIES), policies),
        PolicyStatement("Oidc", ("iam:GetOpenIDConnectProvider",), (names.github,)),
        PolicyStatement("PassRoles", ("iam:PassRole",), roles, {"StringEquals": {"iam:PassedToService": _SERVICES}}),
    ]
    if instances:
        scaling = f"role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_{names.prefix}"
        arn = names.arn("iam", scaling, region=False)
        found.append(PolicyStatement("ScalingRole", _iam(_EDIT_SCALING_ROLE), (arn,)))
    return found


def _not_itself(names: Names) -> dict[str, Any]:
    """Deny the role that deploys to change itself, its policies, and the boundary. A person does, with other rights.

    Those of another stack whose name begins with this one's (`demo-aws` and `demo-aws-test`) are kept from it, too.
    """
    itself = names.role("ci-deploy")
    kept = [f"role/{itself}", f"policy/{itself}-*", f"policy/{boundary_name(names)}"]
    kept += [f"{each}/{names.prefix}-*-ci-deploy-*" for each in ("role", "policy")]
    kept.append(f"policy/{names.prefix}-*-boundary-*")
    writes = [
        word for word in f"{_EDIT_ROLES} {_EDIT_BOUNDED} {_EDIT_POLICIES}".split() if word[:3] not in ("Get", "Lis")
    ]
    return {
        "Sid": "NotItself",
        "Effect": "Deny",
        "Action": sorted({*_iam(" ".join(writes)), "iam:DeleteRolePermissionsBoundary", "iam:PassRole"}),
        "Resource": [names.arn("iam", each, region=False) for each in kept],
    }


def _iam(words: str) -> tuple[str, ...]:
    return tuple(f"iam:{word}" for word in words.split())
