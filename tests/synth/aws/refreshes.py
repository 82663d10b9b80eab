"""What Terraform's provider asks AWS to refresh a resource: at least these actions, on this resource.

From AWS's documents of each type's calls, and for tags of buckets from the provider's changes
https://github.com/hashicorp/terraform-provider-aws/pull/45251 and .../pull/44996. Not from a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.aws.attached import ACCOUNT, resolved
from tests.synth.aws.simulator import Request

#: By type: actions, and the ARN's end of the resource, where {} is the argument that names it; "*" if IAM knows none.
_CALLS: dict[str, tuple[str, str, str]] = {
    "aws_athena_workgroup": ("athena:GetWorkGroup athena:ListTagsForResource", "athena:R:A:workgroup/{}", "name"),
    "aws_autoscaling_group": ("autoscaling:DescribeAutoScalingGroups", "*", "name"),
    "aws_autoscaling_lifecycle_hook": ("autoscaling:DescribeLifecycleHooks", "*", "name"),
    "aws_autoscaling_policy": ("autoscaling:DescribePolicies", "*", "name"),
    "aws_budgets_budget": ("budgets:ViewBudget", "budgets::A:budget/{}", "name"),
    "aws_cloudwatch_log_group": ("logs:ListTagsForResource", "logs:R:A:log-group:{}", "name"),
    "aws_cloudwatch_log_metric_filter": (
        "logs:DescribeMetricFilters",
        "logs:R:A:log-group:/demo-machines/x:log-stream:",
        "name",
    ),
    "aws_cloudwatch_metric_alarm": ("cloudwatch:DescribeAlarms", "cloudwatch:R:A:alarm:{}", "alarm_name"),
    "aws_cloudwatch_event_rule": ("events:DescribeRule events:ListTagsForResource", "events:R:A:rule/{}", "name"),
    "aws_cloudwatch_event_target": ("events:ListTargetsByRule", "events:R:A:rule/RULE", "target_id"),
    "aws_codebuild_project": ("codebuild:BatchGetProjects", "codebuild:R:A:project/{}", "name"),
    "aws_emrserverless_application": ("emr-serverless:GetApplication", "emr-serverless:R:A:/applications/00f", "name"),
    "aws_glue_catalog_database": ("glue:GetDatabase glue:GetTags", "glue:R:A:database/{}", "name"),
    "aws_iam_instance_profile": ("iam:GetInstanceProfile", "iam::A:instance-profile/{}", "name"),
    "aws_iam_policy": ("iam:GetPolicy iam:GetPolicyVersion", "iam::A:policy/{}", "name"),
    "aws_iam_role": ("iam:GetRole iam:ListRolePolicies iam:ListAttachedRolePolicies", "iam::A:role/{}", "name"),
    "aws_instance": (
        "ec2:DescribeInstances ec2:DescribeInstanceAttribute ec2:DescribeInstanceTypeOfferings",
        "*",
        "ami",
    ),
    "aws_launch_template": ("ec2:DescribeLaunchTemplates ec2:DescribeLaunchTemplateVersions", "*", "name"),
    "aws_s3_bucket": (
        "s3:ListBucket s3:GetBucketAcl s3:ListTagsForResource s3:GetBucketTagging s3:GetBucketPolicy",
        "s3:::{}",
        "bucket",
    ),
    "aws_s3_bucket_lifecycle_configuration": ("s3:GetLifecycleConfiguration", "s3:::B", "bucket"),
    "aws_s3_bucket_server_side_encryption_configuration": ("s3:GetEncryptionConfiguration", "s3:::B", "bucket"),
    "aws_s3tables_table_bucket": (
        "s3tables:GetTableBucket s3tables:ListTagsForResource",
        "s3tables:R:A:bucket/{}",
        "name",
    ),
    "aws_s3_object": ("s3:GetObject s3:GetObjectTagging", "s3:::SOURCES/{}", "key"),
    "aws_scheduler_schedule": ("scheduler:GetSchedule", "scheduler:R:A:schedule/GROUP/{}", "name"),
    "aws_scheduler_schedule_group": ("scheduler:GetScheduleGroup", "scheduler:R:A:schedule-group/{}", "name"),
    "aws_secretsmanager_secret": ("secretsmanager:DescribeSecret", "secretsmanager:R:A:secret:{}-AbCdEf", "name"),
    "aws_security_group": ("ec2:DescribeSecurityGroups", "*", "name"),
    "aws_sns_topic": ("sns:GetTopicAttributes sns:ListTagsForResource", "sns:R:A:{}", "name"),
    "aws_ssm_association": ("ssm:DescribeAssociation", "ssm:R:A:association/8dfe3659", "association_name"),
    "aws_ssm_document": ("ssm:DescribeDocument ssm:GetDocument ssm:ListTagsForResource", "ssm:R:A:document/{}", "name"),
    "aws_sqs_queue": ("sqs:GetQueueAttributes sqs:ListQueueTags", "sqs:R:A:{}", "name"),
    "aws_vpc": ("ec2:DescribeVpcAttribute", "ec2:R:A:vpc/vpc-1", "cidr_block"),
    "aws_vpc_endpoint": ("ec2:DescribeVpcEndpoints ec2:DescribeVpcEndpointServices", "*", "vpc_id"),
}


def requests(stack: Mapping[str, Any], region: str, bucket: str) -> Iterator[Request]:
    """The requests of a plan of the stack; ``bucket`` is one of its buckets."""
    own = stack["provider"]["aws"][0]["default_tags"][0]["tags"]["lakehouse"]  # how the names of its resources begin
    known = {
        ":SOURCES": f":{own}-sources-{ACCOUNT}-{region}",
        "/RULE": f"/{own}-task-failed",
        "/GROUP": f"/{own}",
    }
    for type, (actions, arn, key) in _CALLS.items():
        for block in stack["resource"].get(type, {}).values():
            name = "" if arn == "*" else resolved(block[key])
            end = arn.replace(":R:", f":{region}:").replace(":A:", f":{ACCOUNT}:").replace(":::B", f":::{bucket}")
            for word, value in known.items():
                end = end.replace(word, value)
            for action in actions.split():
                yield Request(action, ("*",) if arn == "*" else (f"arn:aws:{end.format(name)}",))
    if "ephemeral" in stack:  # opened for every plan
        yield Request("secretsmanager:GetRandomPassword", ("*",))
