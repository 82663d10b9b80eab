from __future__ import annotations

import pytest

from lakehouse.access.names import Names


def test_names_of_a_stack() -> None:
    own = Names("demo", "aws", "eu-west-1", "123456789012")
    assert own.bucket("warehouse") == "demo-aws-warehouse-123456789012-eu-west-1"
    assert own.location("s3://warehouse/lake/a") == "s3://demo-aws-warehouse-123456789012-eu-west-1/lake/a"
    assert own.role("bi") == "demo-aws-bi-eu-west-1"
    assert own.s3("warehouse", "lake/*") == "arn:aws:s3:::demo-aws-warehouse-123456789012-eu-west-1/lake/*"
    assert own.arn("glue", "catalog") == "arn:aws:glue:eu-west-1:123456789012:catalog"
    assert own.arn("iam", "root", region=False) == "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("ap-southeast-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_partition(region: str, partition: str) -> None:
    assert Names("demo", "aws", region, "1").partition == partition
