"""CloudWatch Logs: the ARN of a log group in a policy ends with ``:*``, except for what tags it or is about a stream.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = ("logs:TagResource", "logs:UntagResource", "logs:ListTagsForResource")
_EVERY = "logs:DescribeLogGroups"  # has no resource
_STREAM = ("logs:GetLogEvents", "logs:PutLogEvents", "logs:DeleteLogStream")  # their resource is a stream


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Permissions on log groups that allow nothing."""
    for name, policy in stack["resource"].get("aws_iam_policy", {}).items():
        for statement in json.loads(policy["policy"])["Statement"]:
            asked = [each for each in statement["Action"] if each.startswith("logs:") and each not in (*_BARE, _EVERY)]
            for resource in statement.get("Resource", []):
                if ":log-stream:" in resource and set(asked) <= set(_STREAM):
                    continue
                if asked and resource != "*" and not resource.endswith(":*"):
                    yield f"aws_iam_policy.{name}: {', '.join(asked)} on {resource}, which does not end with :*"
