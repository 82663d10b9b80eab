"""Names that AWS keeps for itself, each of them."""

from __future__ import annotations

import pytest

from lakehouse.spec import AwsStack, Lakehouse
from lakehouse.spec.aws import check_aws


def _found(name: str, bucket: str, store: str) -> list[tuple[str | int, ...]]:
    lakehouse = Lakehouse.model_validate(
        {
            "name": name,
            "buckets": {bucket: {}},
            "catalogs": {"lake": {"location": f"s3://{bucket}" if store == "s3tables" else f"s3://{bucket}/lake"}},
            "stacks": {"aws": {"region": "eu-west-1", "store": store, "catalogs": {"lake": "glue"}}},
        }
    )
    stack = lakehouse.stacks["aws"]
    assert isinstance(stack, AwsStack)
    return [each.at for each in check_aws("aws", stack, lakehouse)]


@pytest.mark.parametrize(
    ("name", "in_buckets", "in_table_buckets"),
    [
        ("xn--lake", True, True),
        ("sthree-lake", True, True),
        ("amzn-s3-demo-x", True, True),
        ("aws-lake", False, True),
        ("sg-lake", True, True),  # security groups
        ("lake", False, False),
    ],
)
def test_no_name_begins_with_what_aws_keeps(name: str, in_buckets: bool, in_table_buckets: bool) -> None:
    assert _found(name, "warehouse", "s3") == [("name",)] * in_buckets
    assert _found(name, "warehouse", "s3tables") == [("name",)] * in_table_buckets


@pytest.mark.parametrize("bucket", ["s3alias", "a--ol-s3", "a--x-s3", "a--table-s3"])
def test_no_table_bucket_ends_with_what_aws_keeps(bucket: str) -> None:
    """An ordinary one ends with account and region."""
    assert _found("demo", bucket, "s3tables") == [("buckets", bucket)]
    assert _found("demo", bucket, "s3") == []
