"""The key that encrypts all that the stack keeps: buckets, logs, secrets, volumes, alarms."""

from __future__ import annotations

import json
from typing import Any

from lakehouse.aws.names import Names
from lakehouse.cdk import Construct, resource


class Key(Construct):
    """One KMS key with yearly rotation; each service gets it for its own things alone.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """

    def __init__(
        self, scope: Construct, name: str, *, names: Names, protected: bool, instances: bool, tables: bool
    ) -> None:
        super().__init__(scope, name)
        key = resource(
            self,
            "main",
            "aws_kms_key",
            description=f"Data, logs and secrets of {names.prefix}",
            enable_key_rotation=True,
            deletion_window_in_days=30,  # the time in which a deleted key, and the data with it, can be had back
            policy=json.dumps({"Version": "2012-10-17", "Statement": _statements(names, instances, tables)}),
            lifecycle={"prevent_destroy": True} if protected else None,
        )
        resource(self, "alias", "aws_kms_alias", name=f"alias/{names.prefix}", target_key_id=key.ref("key_id"))
        self.arn = key.ref("arn")


def _statements(names: Names, instances: bool, tables: bool) -> list[dict[str, Any]]:
    logs = names.arn("logs", f"log-group:/{names.prefix}/*")
    here = {"StringEquals": {"aws:SourceAccount": names.account}}
    use = [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ]
    found = [
        # IAM policies of the account decide, as they do where a key has no policy of its own.
        _allow("Account", {"AWS": names.arn("iam", "root", region=False)}, ["kms:*"], {}),
        _allow(
            "Logs",
            {"Service": f"logs.{names.region}.amazonaws.com"},
            use,
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
        _allow(
            "Alerts",
            {"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]},
            ["kms:Decrypt", "kms:GenerateDataKey"],
            here,
        ),
    ]
    if instances:  # the Auto Scaling service starts instances whose volumes are encrypted with the key
        role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        scaling = {"AWS": names.arn("iam", role, region=False)}
        found.append(_allow("Volumes", scaling, use, {}))
        grants = {"Bool": {"kms:GrantIsForAWSResource": True}}
        found.append(_allow("VolumeGrants", scaling, ["kms:CreateGrant"], grants))
    if tables:  # S3 Tables compacts and expires what it keeps
        maintenance = {"Service": "maintenance.s3tables.amazonaws.com"}
        found.append(_allow("TableMaintenance", maintenance, ["kms:Decrypt", "kms:GenerateDataKey"], here))
    return found


def _allow(sid: str, principal: dict[str, Any], actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement
