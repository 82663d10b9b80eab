"""One resource in AWS as a node: its name, and its kind as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bootstrap.diagram.picture import Node

_KINDS: Mapping[str, str] = {
    "aws_athena_workgroup": "Athena workgroup",
    "aws_autoscaling_group": "Auto Scaling group",
    "aws_budgets_budget": "Budget",
    "aws_cloudwatch_event_rule": "EventBridge rule",
    "aws_cloudwatch_log_group": "CloudWatch log group",
    "aws_cloudwatch_metric_alarm": "CloudWatch alarm",
    "aws_codebuild_project": "CodeBuild project",
    "aws_emrserverless_application": "EMR Serverless application",
    "aws_iam_policy": "IAM policy",
    "aws_iam_role": "IAM role",
    "aws_iam_service_linked_role": "service-linked role",
    "aws_instance": "EC2 instance",
    "aws_kms_key": "KMS key",
    "aws_route53_zone": "private zone",
    "aws_s3_bucket": "S3 bucket",
    "aws_s3tables_table_bucket": "S3 Tables bucket",
    "aws_scheduler_schedule": "schedule",
    "aws_scheduler_schedule_group": "group of schedules",
    "aws_secretsmanager_secret": "secret",
    "aws_security_group": "security group",
    "aws_sns_topic": "SNS topic",
    "aws_sns_topic_subscription": "subscription",
    "aws_ssm_document": "document of Systems Manager",
    "aws_sqs_queue": "SQS queue",
    "aws_subnet": "private subnet",
    "aws_vpc_endpoint": "VPC endpoint",
    "terraform_data": "step",
}
_STORES = ("aws_s3_bucket", "aws_s3tables_table_bucket")
_NAMED_BY = ("bucket", "name", "alarm_name", "namespace", "endpoint", "url", "aws_service_name", "cidr_block")


def node(address: str, block: Mapping[str, Any], prefix: str) -> Node:
    """The node of a resource. ``prefix`` is the common beginning of the stack's names."""
    type, _, name = address.partition(".")
    kind = _KINDS.get(type, type.removeprefix("aws_").replace("_", " "))
    return Node(address, (_title(type, name, block, prefix), kind), "store" if type in _STORES else "box")


def _title(type: str, name: str, block: Mapping[str, Any], prefix: str) -> str:
    if type == "aws_vpc_endpoint":
        return str(block["service_name"]).rpartition(".")[2]
    if type == "aws_route53_zone":
        return str(block["name"])
    if type == "aws_kms_key":
        return prefix
    if type == "terraform_data":
        path = block.get("//", {}).get("metadata", {}).get("path", name)
        return str(path).rpartition("/")[2]
    for argument in _NAMED_BY:
        if isinstance(block.get(argument), str):
            return short(block[argument].removeprefix("https://"), prefix)
    return short(str(block.get("tags", {}).get("lakehouse-service", name)), prefix)


def short(text: str, prefix: str) -> str:
    """A name without the parts that all names of the stack share: the prefix, the account, the region."""
    text = re.sub(r"-?\$\{[^}]*\}", "", text.removeprefix(prefix).removeprefix(f"/{prefix}"))
    text = re.sub(r"-(us|eu|ap|sa|ca|me|af|il|cn|mx)(-gov)?-[a-z]+-\d$", "", text)
    return text.strip("-/") or prefix
