"""The key that encrypts everything that the stack stores: buckets, logs, secrets, volumes, alarms."""

from __future__ import annotations

import json
from typing import Any

from lakehouse.access.names import Names
from lakehouse.cdk import Construct, Declared, resource

_SEAL = ["kms:Decrypt", "kms:GenerateDataKey"]
_USE = [
    *_SEAL,
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


class KmsKey(Construct):
    """One KMS key with yearly rotation. Each service may use it only for its own resources.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        protected: bool,
        instances: bool,
        tables: bool,
        rule: str = "",
    ) -> None:
        """``rule`` is the ARN of a rule of EventBridge that sends to the topic of alarms."""
        super().__init__(scope, name)
        self.scaling: Declared | None = None
        if instances:
            # Auto Scaling's own role for this stack, because a key's policy can only name an existing role.
            self.scaling = resource(
                self,
                "scaling",
                "aws_iam_service_linked_role",
                aws_service_name="autoscaling.amazonaws.com",
                custom_suffix=names.prefix,
                description=f"Starts the instances of {names.prefix}",
            )
        key = resource(
            self,
            "main",
            "aws_kms_key",
            description=f"Data, logs and secrets of {names.prefix}",
            enable_key_rotation=True,
            deletion_window_in_days=30,  # so long a deleted key, and the data with it, can be restored
            policy=json.dumps({"Version": "2012-10-17", "Statement": _statements(names, self.scaling, tables, rule)}),
            lifecycle={"prevent_destroy": True} if protected else None,
        )
        resource(self, "alias", "aws_kms_alias", name=f"alias/{names.prefix}", target_key_id=key.ref("key_id"))
        self.arn = key.ref("arn")


def _statements(names: Names, scaling: Declared | None, tables: bool, rule: str) -> list[dict[str, Any]]:
    logs = names.arn("logs", f"log-group:/{names.prefix}/*")
    here = {"StringEquals": {"aws:SourceAccount": names.account}}
    found = [
        # The account's IAM policies decide, as for a key without its own policy.
        _allow("Account", {"AWS": names.arn("iam", "root", region=False)}, ["kms:*"], {}),
        _allow(
            "Logs",
            {"Service": f"logs.{names.region}.amazonaws.com"},
            _USE,
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
        _allow("Alarms", {"Service": "cloudwatch.amazonaws.com"}, _SEAL, here),
        _allow("Budgets", {"Service": "budgets.amazonaws.com"}, _SEAL, here),
    ]
    if rule:  # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        found.append(_allow("Events", {"Service": "events.amazonaws.com"}, _SEAL, {"ArnLike": {"aws:SourceArn": rule}}))
    if scaling:  # it starts instances whose volumes are encrypted with the key
        auto_scaling = {"AWS": scaling.ref("arn")}
        found.append(_allow("Volumes", auto_scaling, _USE, {}))
        for_aws = {"Bool": {"kms:GrantIsForAWSResource": True}}
        found.append(_allow("VolumeGrants", auto_scaling, ["kms:CreateGrant"], for_aws))
    if tables:  # S3 Tables compacts and expires its tables, and makes none whose key it may not use
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-kms-permissions.html
        maintenance = {"Service": "maintenance.s3tables.amazonaws.com"}
        own = names.arn("s3tables", f"bucket/{names.prefix}-*/*")
        within = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": own}}
        found.append(_allow("TableMaintenance", maintenance, _SEAL, within))
    return found


def _allow(sid: str, principal: dict[str, Any], actions: list[str], condition: dict[str, Any]) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement
