"""Log groups, alarms, a budget, and the addresses that get their messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from lakehouse.access.names import Names
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws.iam import role, service_trust
from lakehouse.cdk import Construct, Declared, resource

LOG_DAYS = 365
#: Makes the budget see costs. AWS takes it when the tag has been in use for up to a day, and only in the account that
#: pays, so Terraform cannot do it in the deploy that first uses the tag.
#: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
ACTIVATE = "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey=lakehouse,Status=Active"


class Observe(Construct):
    """Encrypted log groups by name, below ``/LAKEHOUSE-STACK/``, kept a year; alarms and a budget with one topic."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        key: str,
        groups: Sequence[str],
        alerts: Sequence[str],
        rule: str = "",
    ) -> None:
        """``alerts`` are addresses; ``rule`` is the ARN of a rule of EventBridge that tells them of events, too."""
        super().__init__(scope, name)
        self._names = names
        self.groups = {
            group: resource(
                self,
                group,
                "aws_cloudwatch_log_group",
                name=log_group(names, group),
                retention_in_days=LOG_DAYS,
                kms_key_id=key,
            )
            for group in groups
        }
        self.topic = resource(self, "alerts", "aws_sns_topic", name=f"{names.prefix}-alerts", kms_master_key_id=key)
        publishers = {
            "Sid": "Alerts",
            "Effect": "Allow",
            "Principal": {"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]},
            "Action": "sns:Publish",
            "Resource": self.topic.ref("arn"),
            "Condition": {"StringEquals": {"aws:SourceAccount": names.account}},
        }
        statements = [publishers]
        if rule:  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
            statements.append(
                {
                    "Sid": "Events",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": self.topic.ref("arn"),
                    "Condition": {"ArnLike": {"aws:SourceArn": rule}},
                }
            )
        resource(
            self,
            "alerts_policy",
            "aws_sns_topic_policy",
            arn=self.topic.ref("arn"),
            policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )
        for nth, address in enumerate(alerts):
            resource(
                self,
                f"alerts_{nth}",
                "aws_sns_topic_subscription",
                topic_arn=self.topic.ref("arn"),
                protocol="email",
                endpoint=address,
            )

    def flow_log_role(self) -> Declared:
        """The role with which the network writes its flow logs."""
        writes = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
        return role(
            self,
            "flow_logs",
            names=self._names,
            called="flow-logs",
            description="Writes the network's flow logs",
            trust=[service_trust(self._names, "vpc-flow-logs")],
            may=[
                PolicyStatement("FlowLogs", writes, (f"{self.groups['network'].ref('arn')}:*",)),
                PolicyStatement(
                    "FlowLogGroups", ("logs:DescribeLogGroups",), ("*",)
                ),  # IAM has no resource for this list
            ],
        )

    def alarm(
        self,
        name: str,
        description: str,
        *,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        minutes: int = 5,
    ) -> None:
        """An alarm for a metric that is above 0 only if something is wrong."""
        resource(
            self,
            name,
            "aws_cloudwatch_metric_alarm",
            alarm_name=f"{self._names.prefix}-{name}",
            alarm_description=description,
            namespace=namespace,
            metric_name=metric,
            dimensions=dict(dimensions),
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            period=60 * minutes,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[self.topic.ref("arn")],
            ok_actions=[self.topic.ref("arn")],
        )

    def budget(self, dollars: int) -> None:
        """A monthly budget for resources with the stack's tag. See :data:`ACTIVATE`."""
        resource(
            self,
            "budget",
            "aws_budgets_budget",
            name=self._names.prefix,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(dollars),
            limit_unit="USD",
            cost_filter=[{"name": "TagKeyValue", "values": [f"user:lakehouse${self._names.prefix}"]}],
            notification=[
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": kind,
                    "threshold": percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [self.topic.ref("arn")],
                }
                for kind, percent in (("FORECASTED", 80), ("ACTUAL", 100))
            ],
        )


def log_group(names: Names, name: str) -> str:
    """The name of a log group of the stack."""
    return f"/{names.prefix}/{name}"
