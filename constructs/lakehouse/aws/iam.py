"""IAM roles for engines, for each principal and for CI. Their permissions are in :mod:`lakehouse.access.iam`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.access.names import Names
from lakehouse.access.packed import Statement, packed, text
from lakehouse.access.policy import PolicyStatement
from lakehouse.cdk import Construct, Declared, resource
from lakehouse.errors import UsageError
from lakehouse.text.iam import literal
from lakehouse.text.terraform import evaluated

GITHUB = "token.actions.githubusercontent.com"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
POLICY_CHARACTERS = 6_144  # of a managed policy, without white space
ROLE_POLICIES = 10  # managed policies that a role may have, unless the account asked for more
_ACCOUNT = 12
_ARN = 160  # characters of the longest ARN that only Terraform knows: a log group's, or an S3 Tables bucket's
_PRINCIPAL_TAG = "aws:PrincipalTag/lakehouse-principal"
# The actions that Terraform needs to manage the stack's own roles.
_EDIT_ROLES = """
    AttachRolePolicy CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy
    ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies PutRolePolicy TagRole UntagRole
    UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription
"""
_EDIT_PROFILES = """
    AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile
    RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile
"""
_EDIT_POLICIES = """
    CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListPolicyVersions
    TagPolicy UntagPolicy
"""
_EDIT_OIDC = """
    CreateOpenIDConnectProvider DeleteOpenIDConnectProvider GetOpenIDConnectProvider TagOpenIDConnectProvider
"""
# The actions on the service-linked role that starts instances. PowerUserAccess can already create and delete it.
_EDIT_SCALING_ROLE = "GetRole GetServiceLinkedRoleDeletionStatus TagRole UntagRole UpdateRoleDescription"
_SERVICES = [f"{service}.amazonaws.com" for service in ("autoscaling", "ec2", "emr-serverless", "vpc-flow-logs")]


def role(
    scope: Construct,
    name: str,
    *,
    names: Names,
    called: str,
    description: str,
    trust: Sequence[Mapping[str, Any]],
    may: Sequence[Statement] = (),
    managed: Sequence[str] = (),
) -> Declared:
    """A role with as many policies as its permissions need, and with policies that AWS manages.

    Raises UsageError if it needs more than IAM allows.
    """
    made = resource(
        scope,
        name,
        "aws_iam_role",
        name=names.role(called),
        description=description,
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": list(trust)}),
    )
    for nth, policy in enumerate(_policies(names, called, may, ROLE_POLICIES - len(managed)), 1):
        own = resource(
            scope, f"{name}_policy_{nth}", "aws_iam_policy", name=f"{names.role(called)}-{nth}", policy=policy
        )
        resource(
            scope,
            f"{name}_policy_{nth}_attached",
            "aws_iam_role_policy_attachment",
            role=made.ref("name"),
            policy_arn=own.ref("arn"),
        )
    for policy in managed:
        resource(
            scope,
            f"{name}_{policy}",
            "aws_iam_role_policy_attachment",
            role=made.ref("name"),
            policy_arn=f"arn:{names.partition}:iam::aws:policy/{policy}",
        )
    return made


def _policies(names: Names, called: str, may: Sequence[Statement], most: int) -> list[str]:
    """The texts of a role's own policies, of which IAM attaches ``most``."""

    def size(policy: str) -> int:
        return len(evaluated(policy, lambda of: "0" * (_ACCOUNT if of.endswith("account_id") else _ARN)))

    found = packed(may, POLICY_CHARACTERS, size)
    if len(found) > most:
        raise UsageError(
            f'access: "{called}" in stacks.{names.stack} needs {len(found)} policies of {POLICY_CHARACTERS:,} '
            f"characters, but IAM attaches {most} to its role. Grant on catalogs or namespaces instead of single tables"
        )
    return [text(each) for each in found]


def instance_role(
    scope: Construct,
    *,
    names: Names,
    may: Sequence[PolicyStatement],
    secrets: Sequence[str],
    key: str,
    log_group: str,
) -> Declared:
    """The instance profile of engines on EC2, for the whole lakehouse, their secrets and logs, and Systems Manager."""
    group = names.arn("logs", f"log-group:{log_group}")
    via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{names.region}.amazonaws.com"}}
    made = role(
        scope,
        "engines_role",
        names=names,
        called="engines",
        description="Engines on instances: they serve every principal",
        trust=[{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
        may=[
            *may,
            PolicyStatement("Secrets", ("secretsmanager:GetSecretValue",), tuple(secrets)),
            PolicyStatement("SecretsKey", ("kms:Decrypt",), (key,), via),
            PolicyStatement("Logs", ("logs:CreateLogStream", "logs:PutLogEvents"), (f"{group}:*",)),
        ],
        managed=["AmazonSSMManagedInstanceCore"],
    )
    return resource(
        scope, "engines_profile", "aws_iam_instance_profile", name=names.role("engines"), role=made.ref("name")
    )


def service_trust(names: Names, service: str, source: str = "") -> dict[str, Any]:
    """Let a service of AWS take the role, only for this account and, if set, only for the resource ``source`` (ARN)."""
    condition: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": names.account}}
    if source:
        condition["ArnLike"] = {"aws:SourceArn": source}
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }


def principal_trust(names: Names, principal: str) -> dict[str, Any]:
    """Let users and roles of the account with the tag ``lakehouse-principal: PRINCIPAL`` take the role."""
    return {
        "Effect": "Allow",
        "Principal": {"AWS": names.arn("iam", "root", region=False)},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {_PRINCIPAL_TAG: principal}},
    }


class GitHub(Construct):
    """Two roles for the workflows of one repository, one to plan and one to deploy. They use OIDC and no stored key.

    https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        repository: str,
        buckets: Sequence[str],
        tables: Sequence[str],
        key: str,
        bootstrap: Sequence[PolicyStatement],
        state: tuple[str, str],
        instances: bool,
    ) -> None:
        """``buckets`` and ``tables`` are ARNs of S3 and S3 Tables, ``state`` is the backend's bucket and key."""
        super().__init__(scope, name)
        provider = resource(
            self,
            "oidc",
            "aws_iam_openid_connect_provider",
            url=f"https://{GITHUB}",
            client_id_list=["sts.amazonaws.com"],
        )

        def trust(*subjects: str) -> dict[str, Any]:
            of_repository = [f"repo:{repository}:{subject}" for subject in subjects]
            claims = {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": of_repository}
            return {
                "Effect": "Allow",
                "Principal": {"Federated": provider.ref("arn")},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": claims},
            }

        self.plan = role(
            self,
            "plan",
            names=names,
            called="ci-plan",
            description="Pull requests, main and drift: reads configuration and tables' metadata, no data",
            trust=[trust("pull_request", "ref:refs/heads/main")],
            may=[*_state_read(names, state), *_metadata(names, buckets, key), *_no_data(names, buckets, tables, state)],
            managed=["ReadOnlyAccess"],
        )
        # PowerUserAccess excludes IAM. The IAM actions that the stack needs are allowed only on its own roles.
        self.deploy = role(
            self,
            "deploy",
            names=names,
            called="ci-deploy",
            description=f"Deploys and bootstraps, from the environment {names.stack} alone",
            trust=[trust(f"environment:{names.stack}")],
            may=[*_state_read(names, state), *_state_write(names, state), *bootstrap, *_roles(names, instances)],
            managed=["PowerUserAccess"],
        )


def _state_read(names: Names, state: tuple[str, str]) -> list[PolicyStatement]:
    bucket, key = names.arn("s3", state[0], region=False, account=False), _state_object(names, state)
    return [
        PolicyStatement("StateBucket", ("s3:ListBucket",), (bucket,)),
        PolicyStatement("StateRead", ("s3:GetObject",), (key,)),
    ]


def _state_object(names: Names, state: tuple[str, str]) -> str:
    """The ARN of the object with Terraform's state, whose key may be any text."""
    return names.arn("s3", literal("/".join(state)), region=False, account=False)


def _state_write(names: Names, state: tuple[str, str]) -> list[PolicyStatement]:
    """Only for the role that deploys. The other plans without the lock, because the lock is an object too."""
    key = _state_object(names, state)
    return [
        PolicyStatement("StateWrite", ("s3:PutObject",), (key,)),
        PolicyStatement("StateLock", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), (f"{key}.tflock",)),
    ]


def _metadata(names: Names, buckets: Sequence[str], key: str) -> list[PolicyStatement]:
    """For `lakehouse plan`, which reads tables' metadata files. The key encrypts them."""
    within = {
        "kms:EncryptionContext:aws:s3:arn": list(buckets),
        "kms:ViaService": f"s3.{names.region}.amazonaws.com",
    }
    return [PolicyStatement("MetadataKey", ("kms:Decrypt",), (key,), {"StringEquals": within})] if buckets else []


def _no_data(
    names: Names, buckets: Sequence[str], tables: Sequence[str], state: tuple[str, str]
) -> list[Mapping[str, Any]]:
    """Deny all objects except tables' metadata files (not manifests, which contain values) and Terraform's state."""
    left = [f"{arn}/*/metadata/*.metadata.json" for arn in buckets]
    left.append(_state_object(names, state))
    reads = ["s3:GetObject", "s3:GetObjectVersion"]
    shut: list[Mapping[str, Any]] = [{"Sid": "NoData", "Effect": "Deny", "Action": reads, "NotResource": left}]
    if tables:
        of_tables = [f"{arn}/table/*" for arn in tables]
        shut.append({"Sid": "NoTables", "Effect": "Deny", "Action": ["s3tables:GetTableData"], "Resource": of_tables})
    return shut


def _roles(names: Names, instances: bool) -> list[PolicyStatement]:
    kinds = ("role", "instance-profile", "policy")
    roles, profiles, policies = ((names.arn("iam", f"{kind}/{names.prefix}-*", region=False),) for kind in kinds)
    provider = names.arn("iam", f"oidc-provider/{GITHUB}", region=False)
    found = [
        PolicyStatement("Roles", _iam(_EDIT_ROLES), roles),
        PolicyStatement("InstanceProfiles", _iam(_EDIT_PROFILES), profiles),
        PolicyStatement("Policies", _iam(_EDIT_POLICIES), policies),
        PolicyStatement("Oidc", _iam(_EDIT_OIDC), (provider,)),
        PolicyStatement("PassRoles", ("iam:PassRole",), roles, {"StringEquals": {"iam:PassedToService": _SERVICES}}),
    ]
    if instances:
        scaling = f"role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_{names.prefix}"
        arn = names.arn("iam", scaling, region=False)
        found.append(PolicyStatement("ScalingRole", _iam(_EDIT_SCALING_ROLE), (arn,)))
    return found


def _iam(words: str) -> tuple[str, ...]:
    return tuple(f"iam:{word}" for word in words.split())
