"""Numbers that a service takes, and states in which it refuses a deletion or a second deploy.

Periods of log groups: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html.
A key waits 7 to 30 days for its deletion, and a secret 0 or 7 to 30, for which nobody can take its name:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html. EMR Serverless and Athena:
botocore (`AutoStopConfig`, `SchedulerConfiguration`, `WorkGroupConfiguration`). Rules of buckets:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html. Hooks:
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html. Documents of Systems Manager:
https://docs.aws.amazon.com/general/latest/gr/ssm.html. Notifications of budgets:
https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html. Athena deletes no workgroup with
queries of the past, and S3 no bucket with versions, unless they are asked to:
https://docs.aws.amazon.com/athena/latest/ug/workgroups-create-update-delete.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PERIODS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
_LEAST_SCAN = 10_000_000  # bytes
_RULES, _ID = 1_000, 255
_NOTIFICATIONS, _TOPICS = 10, 1
_DOCUMENT = 65_536  # bytes


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Numbers out of range, and what could not be deleted or made again."""
    for address, problem in _found(stack["resource"]):
        yield f"{address}: {problem}"


def _found(of: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, block in of.get("aws_cloudwatch_log_group", {}).items():
        if (days := block["retention_in_days"]) not in _PERIODS:
            yield f"aws_cloudwatch_log_group.{name}", f"no log group keeps {days} days"
    for name, block in of.get("aws_kms_key", {}).items():
        if not 7 <= (days := block["deletion_window_in_days"]) <= 30:
            yield f"aws_kms_key.{name}", f"no key waits {days} days"
    for name, block in of.get("aws_secretsmanager_secret", {}).items():
        if block.get("recovery_window_in_days", 30) != 0:
            yield f"aws_secretsmanager_secret.{name}", "its name is taken for days after its deletion"
    for name, block in of.get("aws_emrserverless_application", {}).items():
        idle = block["auto_stop_configuration"]["idle_timeout_minutes"]
        waits = block["scheduler_configuration"]["queue_timeout_minutes"]
        if not 1 <= idle <= 10_080 or not 15 <= waits <= 720:
            yield f"aws_emrserverless_application.{name}", f"it stops after {idle} minutes, a job waits {waits}"
    for name, block in of.get("aws_athena_workgroup", {}).items():
        if block["configuration"]["bytes_scanned_cutoff_per_query"] < _LEAST_SCAN:
            yield f"aws_athena_workgroup.{name}", "queries may read too little"
        if not block.get("force_destroy"):
            yield f"aws_athena_workgroup.{name}", "it cannot be deleted after a query"
    for name, block in of.get("aws_s3_bucket", {}).items():
        if bool(block.get("force_destroy")) is bool(block.get("lifecycle", {}).get("prevent_destroy")):
            yield f"aws_s3_bucket.{name}", "it is neither protected nor emptied before it is deleted"
    for name, block in of.get("aws_s3_bucket_lifecycle_configuration", {}).items():
        ids = [each["id"] for each in block["rule"]]
        if len(ids) > _RULES or len(set(ids)) < len(ids) or any(len(each) > _ID for each in ids):
            yield f"aws_s3_bucket_lifecycle_configuration.{name}", f"its rules are {ids}"
    for name, block in of.get("aws_autoscaling_lifecycle_hook", {}).items():
        if not 30 <= block["heartbeat_timeout"] <= 7_200:
            yield f"aws_autoscaling_lifecycle_hook.{name}", f"no hook waits {block['heartbeat_timeout']} s"
    for name, block in of.get("aws_autoscaling_group", {}).items():
        if block["min_size"] > block["max_size"]:
            yield f"aws_autoscaling_group.{name}", f"it has at least {block['min_size']}, at most {block['max_size']}"
    for name, block in of.get("aws_ssm_document", {}).items():
        if len(block["content"]) > _DOCUMENT:
            yield f"aws_ssm_document.{name}", f"a document of {len(block['content'])} characters"
    for name, block in of.get("aws_budgets_budget", {}).items():
        if len(block["notification"]) > _NOTIFICATIONS or any(
            len(each["subscriber_sns_topic_arns"]) > _TOPICS for each in block["notification"]
        ):
            yield f"aws_budgets_budget.{name}", "too many notifications"
