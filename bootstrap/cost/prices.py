"""AWS's list prices in US dollars, without tax, discounts and free tiers.

They are those of us-east-1; what other regions cost is told by one rough factor each, for regions differ by service.
They were written down from memory on :data:`AS_OF`, where AWS's pages could not be asked, and nothing here asks for
them later: before money depends on it, look at the page of each, or at https://calculator.aws/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AS_OF = "2026-11-21"
HOURS = 730  # of a month, as AWS counts


@dataclass(frozen=True)
class Price:
    """US dollars for one ``unit``, and the page that says so."""

    dollars: float
    unit: str
    page: str


_EC2 = "https://aws.amazon.com/ec2/pricing/on-demand/"
_EMR = "https://aws.amazon.com/emr/pricing/"
_LOGS = "https://aws.amazon.com/cloudwatch/pricing/"
_S3 = "https://aws.amazon.com/s3/pricing/"

PRICES: Mapping[str, Price] = {
    "alarm": Price(0.10, "alarm and month", _LOGS),
    "athena": Price(5.00, "TB scanned", "https://aws.amazon.com/athena/pricing/"),
    "emr-arm-cpu": Price(0.042094, "vCPU and hour", _EMR),
    "emr-arm-memory": Price(0.004628, "GB and hour", _EMR),
    "endpoint": Price(0.01, "endpoint, zone and hour", "https://aws.amazon.com/privatelink/pricing/"),
    "endpoint-data": Price(0.01, "GB through an endpoint", "https://aws.amazon.com/privatelink/pricing/"),
    "key": Price(1.00, "key and month", "https://aws.amazon.com/kms/pricing/"),
    "key-requests": Price(0.03, "10,000 requests", "https://aws.amazon.com/kms/pricing/"),
    "logs": Price(0.50, "GB of logs taken in", _LOGS),
    "logs-kept": Price(0.03, "GB of logs and month", _LOGS),
    "r7g.large": Price(0.1071, "instance and hour", _EC2),
    "r7g.xlarge": Price(0.2142, "instance and hour", _EC2),
    "r7g.2xlarge": Price(0.4284, "instance and hour", _EC2),
    "r7g.4xlarge": Price(0.8568, "instance and hour", _EC2),
    "r7g.8xlarge": Price(1.7136, "instance and hour", _EC2),
    "s3": Price(0.023, "GB and month", _S3),
    "s3-reads": Price(0.0004, "1,000 requests", _S3),
    "s3-writes": Price(0.005, "1,000 requests", _S3),
    "s3tables": Price(0.0265, "GB and month", _S3),
    "s3tables-objects": Price(0.025, "1,000 objects and month", _S3),
    "secret": Price(0.40, "secret and month", "https://aws.amazon.com/secrets-manager/pricing/"),
    "volume": Price(0.08, "GB of gp3 and month", "https://aws.amazon.com/ebs/pricing/"),
    "zone": Price(0.50, "hosted zone and month", "https://aws.amazon.com/route53/pricing/"),
}

#: How much dearer than us-east-1, all in all; rough.
REGIONS: Mapping[str, float] = {
    "us-east-1": 1.0,
    "us-east-2": 1.0,
    "us-west-2": 1.0,
    "eu-north-1": 1.04,
    "eu-west-1": 1.1,
    "ca-central-1": 1.1,
    "eu-west-2": 1.16,
    "eu-west-3": 1.17,
    "eu-central-1": 1.19,
    "ap-southeast-1": 1.22,
    "ap-northeast-1": 1.25,
}
ELSEWHERE = 1.25
