"""VPC endpoints: what must get through the gateway endpoint of S3, the only way to it.

EMR Serverless writes logs and what Spark's UI shows to a bucket of AWS, as the service in the VPC:
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html. Files of S3 Tables go through S3's
endpoint, too, and are decided by actions of `s3tables`:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-VPC.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.aws.attached import ACCOUNT, resolved
from tests.synth.aws.simulator import Request, allowed

_VPC = "vpc-1"


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Requests that the stack's own services send and its endpoint stops."""
    of = stack["resource"]
    [provider] = stack["provider"]["aws"]
    region = provider["region"]
    for name, block in of.get("aws_vpc_endpoint", {}).items():
        if block["vpc_endpoint_type"] != "Gateway":
            continue
        policy = json.loads(resolved(re.sub(r"\$\{aws_vpc\.\w+\.id\}", _VPC, block["policy"])))
        for request in _needed(of, region):
            if not allowed([policy], request):
                yield f"aws_vpc_endpoint.{name}: {request.action} on {request.resources[0]} is stopped"


def _needed(of: Mapping[str, Any], region: str) -> Iterator[Request]:
    part = "aws-us-gov" if region.startswith("us-gov-") else "aws"
    own = {"aws:ResourceAccount": ACCOUNT}
    yield Request("s3:GetObject", (f"arn:{part}:s3:::own/key",), own)
    if any(each["monitoring_configuration"] for each in of.get("aws_emrserverless_application", {}).values()):
        service = {"aws:PrincipalServiceName": "emr-serverless.amazonaws.com", "aws:SourceVpc": _VPC}
        for action in ("PutObject", "PutObjectAcl"):
            yield Request(f"s3:{action}", (f"arn:{part}:s3:::prod.{region}.appinfo.src/key",), service)
    for bucket in of.get("aws_s3tables_table_bucket", {}).values():
        arn = f"arn:{part}:s3tables:{region}:{ACCOUNT}:bucket/{bucket['name']}/table/some-id"
        for action in ("GetTableData", "PutTableData", "GetTableMetadataLocation"):
            yield Request(f"s3tables:{action}", (arn,), own)
