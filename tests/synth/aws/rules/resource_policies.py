"""The sizes of policies at resources, in characters.

Keys: https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html. Buckets:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html. Endpoints:
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html. Topics:
https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.aws.attached import resolved

_MOST = {
    "aws_kms_key": 32_768,
    "aws_s3_bucket_policy": 20_480,
    "aws_vpc_endpoint": 20_480,
    "aws_sns_topic_policy": 30_720,
}


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Policies that are too long."""
    for type, most in _MOST.items():
        for name, block in stack["resource"].get(type, {}).items():
            if (size := len(resolved(block["policy"]))) > most:
                yield f"{type}.{name}: a policy of {size} characters, of {most}"
