"""From a synthesised stack and assumed use to what a month costs. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.cost.prices import ELSEWHERE, HOURS, PRICES, REGIONS
from bootstrap.synthesised import Synthesised

Block = Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    """What the file cannot say: how much the lakehouse is used in a month."""

    stored_gb: float = 500.0  # in all buckets together, replaced versions among them
    scanned_tb: float = 2.0  # by SQL
    spark_hours: float = 40.0  # in which Spark's application is at its upper limit
    logs_gb: float = 10.0  # flow logs among them
    requests_million: float = 5.0  # to S3, one in five of them writes

    def said(self) -> Iterator[str]:
        """The assumptions in words."""
        yield f"{self.stored_gb:g} GB stored, {self.requests_million:g} million requests, a fifth of them writes"
        yield f"{self.scanned_tb:g} TB scanned by SQL"
        yield f"{self.spark_hours:g} hours of Spark's application at its upper limit"
        yield f"{self.logs_gb:g} GB of logs, a month's worth of them kept for a year"
        yield "instances and endpoints stand all month; S3 is reached by its gateway endpoint, which is free"


@dataclass(frozen=True)
class Item:
    """A line of the estimate, in US dollars a month; ``most`` is what it comes to with everything scaled out."""

    what: str
    amount: str
    dollars: float
    most: float
    fixed: bool  # due whether or not the lakehouse is used


@dataclass(frozen=True)
class Estimate:
    """What a month costs. ``unpriced`` are types of resources that neither the table nor the free ones know."""

    region: str
    factor: float
    items: tuple[Item, ...]
    unpriced: tuple[str, ...]
    budget: float | None

    @property
    def dollars(self) -> float:
        return sum(item.dollars for item in self.items)

    @property
    def most(self) -> float:
        return sum(item.most for item in self.items)

    @property
    def fixed(self) -> float:
        """What is due without any use."""
        return sum(item.dollars for item in self.items if item.fixed)


#: Resources that cost nothing, or whose cost is another one's: a bucket's settings, a template of instances.
FREE = frozenset(
    {
        "aws_autoscaling_policy",
        "aws_budgets_budget",  # without actions
        "aws_default_security_group",
        "aws_flow_log",  # its logs are counted
        "aws_glue_catalog_database",  # a million objects and requests are free
        "aws_iam_instance_profile",
        "aws_iam_openid_connect_provider",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_service_linked_role",
        "aws_kms_alias",
        "aws_launch_template",  # counted with the group that uses it
        "aws_route53_record",
        "aws_route_table",
        "aws_route_table_association",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_logging",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_s3tables_namespace",
        "aws_secretsmanager_secret_version",
        "aws_security_group",
        "aws_sns_topic",  # a thousand mails are free
        "aws_sns_topic_policy",
        "aws_sns_topic_subscription",
        "aws_subnet",
        "aws_vpc",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
        "terraform_data",
    }
)


def estimate(stack: Synthesised, usage: Usage) -> Estimate:
    """What a month of this stack costs, used like this."""
    [provider] = stack.document["provider"]["aws"]
    region = str(provider["region"])
    factor = REGIONS.get(region, ELSEWHERE)
    found = stack.document["resource"]
    items = [
        Item(item.what, item.amount, item.dollars * factor, item.most * factor, item.fixed)
        for type, count in _COUNTED.items()
        if type in found
        for item in count(found, usage)
    ]
    [budget] = [each["limit_amount"] for each in found.get("aws_budgets_budget", {}).values()] or [None]
    return Estimate(
        region=region,
        factor=factor,
        items=tuple(items),
        unpriced=tuple(sorted(type for type in found if type not in FREE and type not in _COUNTED)),
        budget=None if budget is None else float(budget),
    )


def _item(what: str, price: str, quantity: float, *, most: float | None = None, fixed: bool = False) -> Item:
    """``quantity`` times a price of the table."""
    each = PRICES[price].dollars
    amount = f"{quantity:,.5g} x {each:g} per {PRICES[price].unit}"
    return Item(what, amount, quantity * each, (quantity if most is None else most) * each, fixed)


def _endpoints(found: Block, usage: Usage) -> Iterator[Item]:
    interfaces = [each for each in found["aws_vpc_endpoint"].values() if each["vpc_endpoint_type"] == "Interface"]
    zones = sum(len(each["subnet_ids"]) for each in interfaces)
    yield _item(f"{len(interfaces)} interface endpoints", "endpoint", zones * HOURS, fixed=True)
    yield _item("through them", "endpoint-data", usage.logs_gb)


def _key(found: Block, usage: Usage) -> Iterator[Item]:
    yield _item("KMS key", "key", len(found["aws_kms_key"]), fixed=True)
    # With bucket keys a request to S3 in a hundred reaches KMS, at most.
    yield _item("its requests", "key-requests", usage.requests_million * 1e6 / 100 / 1e4)


def _buckets(found: Block, usage: Usage) -> Iterator[Item]:
    if "aws_s3tables_table_bucket" not in found:
        yield _item("S3 storage", "s3", usage.stored_gb)
    thousands = usage.requests_million * 1000
    yield _item("S3 writes", "s3-writes", thousands / 5)
    yield _item("S3 reads", "s3-reads", thousands * 4 / 5)


def _table_buckets(found: Block, usage: Usage) -> Iterator[Item]:
    yield _item("S3 Tables storage", "s3tables", usage.stored_gb)
    # Files of 128 MB, as its compaction makes them.
    yield _item("S3 Tables monitoring", "s3tables-objects", usage.stored_gb * 8 / 1000)


def _emr(found: Block, usage: Usage) -> Iterator[Item]:
    for each in found["aws_emrserverless_application"].values():
        cpus, gigabytes = (_number(each["maximum_capacity"][key]) for key in ("cpu", "memory"))
        yield _item("EMR Serverless, processors", "emr-arm-cpu", cpus * usage.spark_hours)
        yield _item("EMR Serverless, memory", "emr-arm-memory", gigabytes * usage.spark_hours)


def _athena(found: Block, usage: Usage) -> Iterator[Item]:
    yield _item("Athena", "athena", usage.scanned_tb)


def _instances(found: Block, usage: Usage) -> Iterator[Item]:
    for name, each in found["aws_instance"].items():
        yield _item(f"instance {name}", each["instance_type"], HOURS, fixed=True)
        yield _item(f"volume of {name}", "volume", each["root_block_device"]["volume_size"], fixed=True)


def _groups(found: Block, usage: Usage) -> Iterator[Item]:
    for name, each in found["aws_autoscaling_group"].items():
        template = found["aws_launch_template"][each["launch_template"]["id"].split(".")[1]]
        least, most = each["min_size"], each["max_size"]
        size = template["instance_type"]
        disk = sum(device["ebs"]["volume_size"] for device in template["block_device_mappings"])
        title = f"{name}, {least if least == most else f'{least} of at most {most}'}"
        yield _item(title, size, least * HOURS, most=most * HOURS, fixed=True)
        yield _item(f"volumes of {name}", "volume", least * disk, most=most * disk, fixed=True)


def _logs(found: Block, usage: Usage) -> Iterator[Item]:
    yield _item("logs", "logs", usage.logs_gb)
    yield _item("logs of a year", "logs-kept", usage.logs_gb * 12)


def _each(what: str, price: str, type: str) -> Callable[[Block, Usage], Iterator[Item]]:
    def count(found: Block, usage: Usage) -> Iterator[Item]:
        yield _item(what, price, len(found[type]), fixed=True)

    return count


def _number(text: str) -> float:
    """The number in ``6 vCPU`` or ``15 GB``."""
    match = re.match(r"[\d.]+", text)
    assert match, text
    return float(match[0])


_COUNTED: Mapping[str, Callable[[Block, Usage], Iterator[Item]]] = {
    "aws_vpc_endpoint": _endpoints,
    "aws_instance": _instances,
    "aws_autoscaling_group": _groups,
    "aws_emrserverless_application": _emr,
    "aws_athena_workgroup": _athena,
    "aws_s3_bucket": _buckets,
    "aws_s3tables_table_bucket": _table_buckets,
    "aws_cloudwatch_log_group": _logs,
    "aws_kms_key": _key,
    "aws_cloudwatch_metric_alarm": _each("alarms", "alarm", "aws_cloudwatch_metric_alarm"),
    "aws_secretsmanager_secret": _each("secrets", "secret", "aws_secretsmanager_secret"),
    "aws_route53_zone": _each("private zone", "zone", "aws_route53_zone"),
}
