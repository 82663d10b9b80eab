"""What the roles of a stack may have at most, whoever gives it to them.

The role that deploys may give rights to the stack's roles. Without a boundary it could give them all rights, and take
them by a job of its own. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

import json

from lakehouse.access.names import Names
from lakehouse.cdk import Construct, Declared, resource

#: A boundary gives nothing, so services are named as a whole. Of IAM only reads are in it.
_SERVICES = """
    athena budgets cloudwatch ec2messages emr-serverless glue kms lakeformation logs s3 s3tables secretsmanager sns ssm
    ssmmessages
"""
_READS = """
    autoscaling:Describe* codebuild:BatchGet* ec2:Describe* events:Describe* events:List* iam:Get* iam:List*
    route53:Get* route53:List* scheduler:Get* scheduler:List* sqs:Get* sqs:List* sts:GetCallerIdentity
"""
#: What starts the tasks of a schedule.
_STARTS = ("codebuild:StartBuild", "sqs:SendMessage")
#: The policy, for the roles' references to it.
BOUNDARY = Declared("aws_iam_policy.boundary")


def boundary(scope: Construct, names: Names) -> Declared:
    """The stack's boundary."""
    own = names.arn("iam", f"role/{names.prefix}-*", region=False)
    passed = {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}}
    work = sorted([*(f"{service}:*" for service in _SERVICES.split()), *_READS.split(), *_STARTS])
    statements = [
        {"Sid": "Work", "Effect": "Allow", "Action": work, "Resource": "*"},
        {"Sid": "Jobs", "Effect": "Allow", "Action": "iam:PassRole", "Resource": own, "Condition": passed},
    ]
    return resource(
        scope,
        "boundary",
        "aws_iam_policy",
        name=boundary_name(names),
        description="The most that roles of this stack may be given",
        policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )


def boundary_name(names: Names) -> str:
    """The name of the stack's boundary."""
    return names.role("boundary")


def boundary_arn(names: Names) -> str:
    """ARN of the stack's boundary."""
    return names.arn("iam", f"policy/{boundary_name(names)}", region=False)
