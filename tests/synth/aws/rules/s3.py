"""S3: lifecycle rules that end data which the file or the docs say is kept.

Of several rules for an object S3 applies the one that ends it first:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html. Athena puts a table that a query
creates without a location of its own among the workgroup's results, at LOCATION/tables/QUERY:
https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.aws.attached import resolved
from tests.synth.aws.simulator import allowed, s3

_LOCATION = re.compile(r"s3://\$\{aws_s3_bucket\.(\w+)\.id\}/(.+)/")


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Tables that Athena would put where a rule deletes them."""
    of = stack["resource"]
    for name, block in of.get("aws_athena_workgroup", {}).items():
        match = _LOCATION.fullmatch(block["configuration"]["result_configuration"]["output_location"])
        assert match, block
        if days(stack, match[1], "expiration", "days") is None:
            continue
        [policy] = [each["policy"] for each in of["aws_s3_bucket_policy"].values() if _is(each, match[1])]
        everybody = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        documents = [everybody, json.loads(resolved(policy).replace("arn:aws-us-gov:", "arn:aws:"))]
        bucket = resolved(of["aws_s3_bucket"][match[1]]["bucket"])
        if allowed(documents, s3("PutObject", bucket, f"{match[2]}/tables/id/0")):
            yield f"aws_athena_workgroup.{name}: a table without a location is deleted with the results"
        if not allowed(documents, s3("PutObject", bucket, f"{match[2]}/id.csv")):
            yield f"aws_athena_workgroup.{name}: results cannot be written"


def days(stack: Mapping[str, Any], bucket: str, rule: str, key: str) -> int | None:
    """After how many days the objects of a bucket are ended by ``expiration`` or ``noncurrent_version_expiration``."""
    found = [
        part[key]
        for block in stack["resource"]["aws_s3_bucket_lifecycle_configuration"].values()
        if _is(block, bucket)
        for each in block["rule"]
        if each["status"] == "Enabled"
        for part in each.get(rule, [])
        if key in part
    ]
    return min(found, default=None)


def _is(block: Mapping[str, Any], bucket: str) -> bool:
    return bool(block["bucket"] == f"${{aws_s3_bucket.{bucket}.id}}")
