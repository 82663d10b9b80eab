"""IAM roles for engines and for each principal. Their permissions are in :mod:`lakehouse.access.iam`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lakehouse.access.iam import through_s3
from lakehouse.access.names import MAINTENANCE, Names
from lakehouse.access.packed import Statement, packed, text
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws.boundary import BOUNDARY
from lakehouse.cdk import Construct, Declared, resource
from lakehouse.errors import UsageError
from lakehouse.spec.aws import SOFTWARE
from lakehouse.text.terraform import evaluated

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
POLICY_CHARACTERS = 6_144  # of a managed policy, without white space
ROLE_POLICIES = 10  # managed policies that a role may have, unless the account asked for more
_ACCOUNT = 12
_ARN = 160  # characters of the longest ARN that only Terraform knows: a log group's, or an S3 Tables bucket's
TRUST_CHARACTERS = 2_048  # of a role's trust policy, unless the account asked for more


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
    bounded: bool = True,
) -> Declared:
    """A role with as many policies as its permissions need, and with policies that AWS manages.

    ``bounded``: it has at most what :mod:`lakehouse.aws.boundary` allows.

    Raises UsageError if it needs more than IAM allows.
    """
    document = {"Version": "2012-10-17", "Statement": list(trust)}
    if _size(json.dumps(document, separators=(",", ":"))) > TRUST_CHARACTERS:
        raise UsageError(
            f'access.principals: "{called}" trusts more users and roles than fit into the trust policy of its role in '
            f"stacks.{names.stack}: {TRUST_CHARACTERS:,} characters. Trust one role that they may all take"
        )
    made = resource(
        scope,
        name,
        "aws_iam_role",
        name=names.role(called),
        description=description,
        permissions_boundary=BOUNDARY.ref("arn") if bounded else None,
        assume_role_policy=json.dumps(document),
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
    found = packed(may, POLICY_CHARACTERS, _size)
    if len(found) > most:
        raise UsageError(
            f'access: "{called}" in stacks.{names.stack} needs {len(found)} policies of {POLICY_CHARACTERS:,} '
            f"characters, but IAM attaches {most} to its role. Grant on catalogs or namespaces instead of single tables"
        )
    return [text(each) for each in found]


def _size(policy: str) -> int:
    return len(evaluated(policy, lambda of: "0" * (_ACCOUNT if of.endswith("account_id") else _ARN)))


def instance_role(
    scope: Construct,
    *,
    names: Names,
    may: Sequence[PolicyStatement],
    secrets: Sequence[str],
    key: str,
    log_group: str,
) -> Declared:
    """The instance profile of engines on EC2, for the whole lakehouse, their software, secrets and logs.

    AmazonSSMManagedInstanceCore is what Systems Manager needs to reach an instance.
    """
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
            PolicyStatement("Software", ("s3:GetObject",), (names.s3(SOFTWARE, "*"),)),
            PolicyStatement("SoftwareKey", ("kms:Decrypt",), (key,), through_s3(names, [names.s3(SOFTWARE)])),
            PolicyStatement("Logs", ("logs:CreateLogStream", "logs:PutLogEvents"), (f"{group}:*",)),
        ],
        managed=["AmazonSSMManagedInstanceCore"],
    )
    return resource(
        scope, "engines_profile", "aws_iam_instance_profile", name=names.role("engines"), role=made.ref("name")
    )


def optimizers_role(scope: Construct, *, names: Names, may: Sequence[PolicyStatement]) -> Declared:
    """The role of Glue's table optimizers. ``may`` is to write to all tables of the stack.

    They log to groups of their own, which Glue makes.
    https://docs.aws.amazon.com/glue/latest/dg/optimization-prerequisites.html
    """
    logs = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    group = names.arn("logs", "log-group:/aws-glue/iceberg-*")
    return role(
        scope,
        "maintenance",
        names=names,
        called=MAINTENANCE,
        description="Glue's table optimizers: compact tables, expire snapshots, delete orphans",
        trust=[service_trust(names, "glue")],
        may=[*may, PolicyStatement("Logs", logs, (f"{group}:*",))],
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
