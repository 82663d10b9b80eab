"""One resource in AWS as a card: what it is called, what it is for, and the few facts that a reviewer asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bootstrap.diagram.picture import Card, Family

Block = Mapping[str, Any]
#: Resources by type, that belong to one another.
Parts = Mapping[str, Sequence[Block]]

#: What a type is in words, and what it is for.
KINDS: Mapping[str, tuple[str, Family]] = {
    "aws_athena_workgroup": ("Athena workgroup", "engine"),
    "aws_autoscaling_group": ("Auto Scaling group", "engine"),
    "aws_budgets_budget": ("Budget", "watch"),
    "aws_cloudwatch_log_group": ("CloudWatch log group", "watch"),
    "aws_cloudwatch_metric_alarm": ("CloudWatch alarm", "watch"),
    "aws_emrserverless_application": ("EMR Serverless application", "engine"),
    "aws_glue_catalog_database": ("Glue database", "catalog"),
    "aws_iam_openid_connect_provider": ("OIDC provider", "access"),
    "aws_iam_role": ("IAM role", "access"),
    "aws_iam_service_linked_role": ("Service-linked role", "access"),
    "aws_instance": ("EC2 instance", "engine"),
    "aws_kms_key": ("KMS key", "security"),
    "aws_route53_zone": ("Private zone", "network"),
    "aws_s3_bucket": ("S3 bucket", "store"),
    "aws_s3tables_namespace": ("S3 Tables namespace", "catalog"),
    "aws_s3tables_table_bucket": ("S3 Tables bucket", "store"),
    "aws_secretsmanager_secret": ("Secret", "security"),
    "aws_security_group": ("Security group", "network"),
    "aws_sns_topic": ("SNS topic", "watch"),
    "aws_sns_topic_subscription": ("Subscription", "watch"),
    "aws_subnet": ("Private subnet", "network"),
    "aws_vpc_endpoint": ("VPC endpoint", "network"),
    "terraform_data": ("Step", "step"),
}
_NAMED_BY = ("bucket", "name", "alarm_name", "namespace", "endpoint", "url", "aws_service_name", "cidr_block")
_EXPRESSION = re.compile(r"\$\{[^}]*\}")
_VERBS = (  # what a statement's actions come to; the first that fits
    ("manages", re.compile(r"(glue|s3tables):(Create|Delete)")),
    ("writes", re.compile(r"(glue:Update|s3tables:Put)")),
    ("reads", re.compile(r"(glue|s3tables):Get")),
)
_OTHERS = {"athena": "queries", "emr-serverless": "runs Spark jobs", "secretsmanager": "reads its secrets"}


def card(address: str, block: Block, prefix: str, parts: Parts, stands_for: Sequence[str]) -> Card:
    """The card of a resource. ``prefix`` is what the stack's names begin with; ``parts`` are shown with it."""
    type, _, name = address.partition(".")
    kind, family = KINDS.get(type, (type.removeprefix("aws_").replace("_", " "), "other"))
    lines = _LINES[type](block, parts) if type in _LINES else ()
    return Card(address, _title(type, name, block, prefix), kind, family, tuple(lines), (address, *stands_for))


def _title(type: str, name: str, block: Block, prefix: str) -> str:
    if type == "aws_vpc_endpoint":
        return str(block["service_name"]).rpartition(".")[2]
    if type == "aws_route53_zone":
        return str(block["name"])
    if type == "aws_kms_key":
        return prefix
    if type == "terraform_data":
        path = block.get("//", {}).get("metadata", {}).get("path", name)
        return str(path).rpartition("/")[2]
    for argument in _NAMED_BY:
        if isinstance(block.get(argument), str):
            return short(block[argument].removeprefix("https://"), prefix)
    return str(block.get("tags", {}).get("lakehouse-service", name))


def short(text: str, prefix: str) -> str:
    """A name without what all names of the stack share: its beginning, the account, the region."""
    text = re.sub(r"-?\$\{[^}]*\}", "", text.removeprefix(prefix).removeprefix(f"/{prefix}"))
    text = re.sub(r"-(us|eu|ap|sa|ca|me|af|il|cn|mx)(-gov)?-[a-z]+-\d$", "", text)
    return text.strip("-/") or prefix


def _bucket(block: Block, parts: Parts) -> Iterable[str]:
    kept = [
        word
        for type, word in (
            ("aws_s3_bucket_public_access_block", "private"),
            ("aws_s3_bucket_policy", "TLS alone"),
            ("aws_s3_bucket_versioning", "versioned"),
        )
        if parts.get(type)
    ]
    yield " · ".join(kept)
    text = json.dumps([*parts.get("aws_s3_bucket_server_side_encryption_configuration", ())])
    yield "encrypted by the stack's key" if "aws:kms" in text else "encrypted by S3's key" if text != "[]" else "plain"
    for each in parts.get("aws_s3_bucket_lifecycle_configuration", ()):
        for rule in each["rule"]:
            for expiration in rule.get("expiration", ()):
                yield f"objects expire after {expiration['days']} days"
    yield _kept(block)


def _kept(block: Block) -> str:
    return "cannot be destroyed" if block.get("lifecycle", {}).get("prevent_destroy") else "may be destroyed"


def _role(block: Block, parts: Parts) -> Iterable[str]:
    yield from _trusted(json.loads(block["assume_role_policy"])["Statement"])
    for attached in parts.get("aws_iam_role_policy_attachment", ()):
        yield f"policy {attached['policy_arn'].rpartition('/')[2]}"
    for policy in parts.get("aws_iam_role_policy", ()):
        yield from may(json.loads(policy["policy"])["Statement"])


def _trusted(statements: Iterable[Block]) -> Iterable[str]:
    for statement in statements:
        principal, condition = statement["Principal"], statement.get("Condition", {}).get("StringEquals", {})
        subjects = [value for key, values in condition.items() if key.endswith(":sub") for value in values]
        if "Federated" in principal:
            yield from (f"taken by {subject.removeprefix('repo:')}" for subject in subjects)
        elif "Service" in principal:
            yield f"taken by {principal['Service'].removesuffix('.amazonaws.com')}"
        else:
            tags = [f"{key.rpartition('/')[2]}: {value}" for key, value in condition.items() if "PrincipalTag" in key]
            yield f"taken by who has {', '.join(tags)}" if tags else "taken by the account"


def may(statements: Iterable[Block]) -> Iterable[str]:
    """What a policy comes to: the tables that it reads, writes and manages, the services that it uses."""
    of: dict[str, str] = {}  # table or namespace -> the first, most far-reaching verb
    others: dict[str, None] = {}
    denied = False
    for verb, pattern in _VERBS:
        for statement in statements:
            if statement["Effect"] == "Allow" and any(pattern.match(action) for action in statement["Action"]):
                for table in _tables(statement):
                    of.setdefault(table, verb)
    for statement in statements:
        denied |= statement["Effect"] == "Deny"
        for action in statement["Action"] if statement["Effect"] == "Allow" else ():
            service = action.partition(":")[0]
            if service in _OTHERS:
                others[_OTHERS[service]] = None
    for verb, _ in _VERBS:
        if tables := [table for table, highest in of.items() if highest == verb]:
            yield f"{verb} {', '.join(tables)}"
    if others:
        yield ", ".join(others)
    if denied:
        yield "is denied the data"


def _tables(statement: Block) -> Iterable[str]:
    for resource in statement["Resource"]:
        _, found, path = resource.partition(":table/")
        if found and path:
            yield path.removesuffix("/*").replace("/", ".")
    where = statement.get("Condition", {}).get("StringEquals", {})
    for namespace in where.get("s3tables:namespace", ()):
        yield f"{namespace}.{where['s3tables:tableName']}" if "s3tables:tableName" in where else namespace


def _security_group(block: Block, parts: Parts) -> Iterable[str]:
    for direction, word, way in (("ingress", "in", "from"), ("egress", "out", "to")):
        for rule in parts.get(f"aws_vpc_security_group_{direction}_rule", ()):
            first, last = rule["from_port"], rule["to_port"]
            ports = str(first) if first == last else f"{first}-{last}"
            other = rule.get("cidr_ipv4") or rule["description"]
            yield f"{word}: {rule['ip_protocol']} {ports} {way} {other}"
    if not parts:
        yield "nothing in, nothing out"


def _emr(block: Block, parts: Parts) -> Iterable[str]:
    most = block["maximum_capacity"]
    yield f"{block['release_label']}, {block['architecture']}"
    yield f"at most {most['cpu']}, {most['memory']}"
    yield f"stops after {block['auto_stop_configuration']['idle_timeout_minutes']} idle minutes"


def _workgroup(block: Block, parts: Parts) -> Iterable[str]:
    yield f"at most {block['configuration']['bytes_scanned_cutoff_per_query'] >> 40} TiB a query"


def _instance(block: Block, parts: Parts) -> Iterable[str]:
    disk = block["root_block_device"]
    yield block["instance_type"]
    yield f"{disk['volume_size']} GB {disk['volume_type']}, encrypted" if disk["encrypted"] else "not encrypted"
    yield "IMDSv2 alone" if block["metadata_options"]["http_tokens"] == "required" else "IMDSv1"


def _scaled(block: Block, parts: Parts) -> Iterable[str]:
    sizes = ", ".join(each["instance_type"] for each in parts.get("aws_launch_template", ()))
    least, most = block["min_size"], block["max_size"]
    yield f"{least if least == most else f'{least} to {most}'} x {sizes}"
    for policy in parts.get("aws_autoscaling_policy", ()):
        target = policy["target_tracking_configuration"]
        yield f"scales at {target['target_value']} % of processors"


def _key(block: Block, parts: Parts) -> Iterable[str]:
    yield "rotates every year" if block.get("enable_key_rotation") else "never rotates"
    yield f"{block['deletion_window_in_days']} days to take a deletion back"
    yield _kept(block)


def _alarm(block: Block, parts: Parts) -> Iterable[str]:
    yield f"{block['namespace']}: {block['metric_name']}"


def _budget(block: Block, parts: Parts) -> Iterable[str]:
    yield f"{block['limit_amount']} {block['limit_unit']} a month"


def _endpoint(block: Block, parts: Parts) -> Iterable[str]:
    yield block["vpc_endpoint_type"].lower()


def _log_group(block: Block, parts: Parts) -> Iterable[str]:
    yield f"kept {block['retention_in_days']} days{', encrypted' if block.get('kms_key_id') else ''}"


def _secret(block: Block, parts: Parts) -> Iterable[str]:
    versions = parts.get("aws_secretsmanager_secret_version", ())
    yield "its value is in no state" if all("secret_string_wo" in each for each in versions) else "IN THE STATE"


def _zone(block: Block, parts: Parts) -> Iterable[str]:
    yield from (each["name"] for each in parts.get("aws_route53_record", ()))


def _database(block: Block, parts: Parts) -> Iterable[str]:
    yield _kept(block)


def _table_bucket(block: Block, parts: Parts) -> Iterable[str]:
    yield "encrypted by the stack's key"
    yield _kept(block)


_LINES: Mapping[str, Callable[[Block, Parts], Iterable[str]]] = {
    "aws_athena_workgroup": _workgroup,
    "aws_autoscaling_group": _scaled,
    "aws_budgets_budget": _budget,
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_emrserverless_application": _emr,
    "aws_glue_catalog_database": _database,
    "aws_iam_role": _role,
    "aws_instance": _instance,
    "aws_kms_key": _key,
    "aws_route53_zone": _zone,
    "aws_s3_bucket": _bucket,
    "aws_s3tables_namespace": _database,
    "aws_s3tables_table_bucket": _table_bucket,
    "aws_secretsmanager_secret": _secret,
    "aws_security_group": _security_group,
    "aws_vpc_endpoint": _endpoint,
}
