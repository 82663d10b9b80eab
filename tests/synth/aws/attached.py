"""The policies of a role in a synthesised stack, and what they are after a deploy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

ACCOUNT = "123456789012"
_VALUES = {  # what Terraform's expressions would be after a deploy
    "data.aws_caller_identity": ACCOUNT,
    "aws_kms_key": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
    "aws_s3_bucket": "arn:aws:s3:::bucket",
    "aws_s3tables_table_bucket": f"arn:aws:s3tables:eu-west-1:{ACCOUNT}:bucket/kept",
    "aws_emrserverless_application": f"arn:aws:emr-serverless:eu-west-1:{ACCOUNT}:/applications/00f0000000000000",
    "aws_secretsmanager_secret": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:demo-AbCdEf",
    "aws_cloudwatch_log_group": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/demo",
    "data.aws_iam_openid_connect_provider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    "aws_vpc": "vpc-1",
    "aws_iam_service_linked_role": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/demo",
    "aws_sqs_queue": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:demo-starts-failed",
    "aws_codebuild_project": f"arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/demo",
    "aws_sns_topic": f"arn:aws:sns:eu-west-1:{ACCOUNT}:demo",
}


def policies(stack: Mapping[str, Any], role: str) -> list[str]:
    """The stack's own policies that are attached to a role, which has this name in Terraform."""
    made = stack["resource"]["aws_iam_policy"]
    attached = stack["resource"]["aws_iam_role_policy_attachment"].values()
    arns = [each["policy_arn"] for each in attached if each["role"] == f"${{aws_iam_role.{role}.name}}"]
    return [made[match[1]]["policy"] for arn in arns if (match := re.match(r"\$\{aws_iam_policy\.(\w+)\.arn", arn))]


def resolved(text: str, values: Mapping[str, str] = _VALUES) -> str:
    """The text as after a deploy: with a value for each of Terraform's expressions, and its escapes undone."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        found = next(value for start, value in values.items() if match[1].startswith(start))
        # Of an application, policies use the id too, which is the end of its ARN.
        emr = match[1].startswith("aws_emrserverless_application") and match[1].endswith(".id")
        return found.rpartition("/")[2] if emr else found

    return re.sub(r"\$\$\{|\$\{([^}]+)\}", value, text)


def roles(stack: Mapping[str, Any]) -> Iterator[str]:
    """The names in Terraform of the stack's roles."""
    yield from stack["resource"].get("aws_iam_role", {})
