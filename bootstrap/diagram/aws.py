"""A stack in AWS as a picture: who, through which engines, in which network, reaches what; and what watches over it.

Every resource is shown: with a card of its own, or on the card of what it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bootstrap.diagram.aws_cards import card
from bootstrap.diagram.picture import Arrow, Card, Family, Group, Picture, bundled
from bootstrap.diagram.references import addresses, strings
from bootstrap.session.synthesised import Synthesised

Blocks = Mapping[str, Mapping[str, Any]]

#: Resources that say something of another one, and the argument that names it.
_PART_OF: Mapping[str, str] = {
    "aws_autoscaling_policy": "autoscaling_group_name",
    "aws_default_security_group": "vpc_id",
    "aws_flow_log": "vpc_id",
    "aws_iam_instance_profile": "role",
    "aws_iam_role_policy": "role",
    "aws_iam_role_policy_attachment": "role",
    "aws_kms_alias": "target_key_id",
    "aws_route53_record": "zone_id",
    "aws_route_table": "vpc_id",
    "aws_route_table_association": "subnet_id",
    "aws_s3_bucket_lifecycle_configuration": "bucket",
    "aws_s3_bucket_logging": "bucket",
    "aws_s3_bucket_ownership_controls": "bucket",
    "aws_s3_bucket_policy": "bucket",
    "aws_s3_bucket_public_access_block": "bucket",
    "aws_s3_bucket_server_side_encryption_configuration": "bucket",
    "aws_s3_bucket_versioning": "bucket",
    "aws_secretsmanager_secret_version": "secret_id",
    "aws_sns_topic_policy": "arn",
    "aws_vpc_security_group_egress_rule": "security_group_id",
    "aws_vpc_security_group_ingress_rule": "security_group_id",
}
#: And those that are shown with the one that uses them.
_USED_BY: Mapping[str, str] = {"aws_launch_template": "aws_autoscaling_group"}
#: Whom everything names; arrows to them would say nothing.
_EVERYWHERE = ("aws_kms_key", "aws_vpc", "aws_subnet")
#: What an arrow between two types means. Others go without a word.
_MEANS: Mapping[tuple[str, str], str] = {
    ("aws_athena_workgroup", "aws_s3_bucket"): "results",
    ("aws_autoscaling_group", "aws_iam_role"): "as",
    ("aws_budgets_budget", "aws_sns_topic"): "tells",
    ("aws_cloudwatch_metric_alarm", "aws_emrserverless_application"): "watches",
    ("aws_cloudwatch_metric_alarm", "aws_instance"): "watches",
    ("aws_cloudwatch_metric_alarm", "aws_sns_topic"): "tells",
    ("aws_emrserverless_application", "aws_cloudwatch_log_group"): "logs",
    ("aws_emrserverless_application", "aws_glue_catalog_database"): "tables",
    ("aws_emrserverless_application", "aws_s3_bucket"): "files",
    ("aws_emrserverless_application", "aws_s3tables_table_bucket"): "tables",
    ("aws_iam_role", "aws_athena_workgroup"): "query",
    ("aws_iam_role", "aws_cloudwatch_log_group"): "logs",
    ("aws_iam_role", "aws_emrserverless_application"): "run jobs",
    ("aws_iam_role", "aws_glue_catalog_database"): "tables",
    ("aws_iam_role", "aws_iam_openid_connect_provider"): "trust",
    ("aws_iam_role", "aws_s3_bucket"): "files",
    ("aws_iam_role", "aws_s3tables_table_bucket"): "tables",
    ("aws_iam_role", "aws_secretsmanager_secret"): "read",
    ("aws_instance", "aws_iam_role"): "as",
    ("aws_s3_bucket", "aws_s3_bucket"): "access logs",
    ("aws_s3tables_namespace", "aws_s3tables_table_bucket"): "in",
    ("aws_security_group", "aws_vpc_endpoint"): "443",
    ("aws_sns_topic_subscription", "aws_sns_topic"): "hears",
    ("terraform_data", "aws_glue_catalog_database"): "tables",
}


def picture(stack: Synthesised) -> Picture:
    """The picture of a stack in AWS."""
    blocks = stack.resources
    owners = {address: _owner(address, blocks) for address in blocks}
    [provider] = stack.document["provider"]["aws"]
    [tags] = [each["tags"] for each in provider["default_tags"]]
    prefix = str(tags["lakehouse"])
    cards = {owner: _card(owner, owners, blocks, prefix) for owner in dict.fromkeys(owners.values())}
    network = next((address for address in cards if address.startswith("aws_vpc.")), "")
    root = _composed(cards, network, blocks)
    drawn = {each.id for each in root.cards()}
    known = (arrow for arrow in _arrows(owners, blocks) if arrow.source in drawn and arrow.target in drawn)
    version = stack.document["terraform"]["required_providers"]["aws"]["version"]
    return Picture(
        title=f"{prefix} in AWS, {provider['region']}",
        subtitle=f"{len(blocks)} resources on {len(drawn) + bool(network)} cards and frames · AWS provider {version} · "
        f"owner {tags['owner']}, cost center {tags['cost-center']}",
        root=root,
        arrows=bundled(root, known),
        notes=(
            "An arrow leads from what uses to what is used, as the stack's references and policies say; one between "
            "frames stands for several between their cards.",
            "Everything kept is encrypted by the KMS key unless its card says otherwise; those arrows are left out. "
            "The names of all resources of a card stand in its title (hold the pointer over it).",
        ),
    )


def _owner(address: str, blocks: Blocks) -> str:
    """The resource on whose card this one is shown: itself, or what it belongs to."""
    type = address.partition(".")[0]
    if type in _PART_OF:
        named = [each for each in addresses({"": blocks[address].get(_PART_OF[type])}) if each in blocks]
        return _owner(named[0], blocks) if named else address
    if type in _USED_BY:
        users = [
            other
            for other, block in blocks.items()
            if other.startswith(f"{_USED_BY[type]}.") and address in addresses(block)
        ]
        return users[0] if users else address
    return address


def _card(address: str, owners: Mapping[str, str], blocks: Blocks, prefix: str) -> Card:
    parts = [each for each, owner in owners.items() if owner == address and each != address]
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        by_type.setdefault(part.partition(".")[0], []).append(blocks[part])
    return card(address, blocks[address], prefix, by_type, parts)


def _arrows(owners: Mapping[str, str], blocks: Blocks) -> Iterator[Arrow]:
    names = list(_names(blocks))
    for address, block in blocks.items():
        source = owners[address]
        if address.startswith("aws_vpc_endpoint."):
            continue  # its policy and its network are said by where it stands
        if address == "terraform_data.kept":
            continue  # it waits for all that holds data, and uses nothing of it
        texts = [each for _, each in strings(_allowed(block))]
        text = "\n".join(texts)
        targets = [owners[each] for each in addresses(_allowed(block)) if each in owners]
        targets += [owners[other] for name, other in names if name in text]
        targets += [other for other in owners if _logs(blocks[other], other) in texts and other != address]
        if "glue.GlueCatalog" in text:
            targets += [other for other in owners if other.startswith("aws_glue_catalog_database.")]
        for target in dict.fromkeys(targets):
            ends = source.partition(".")[0], target.partition(".")[0]
            if source != target and ends[1] not in _EVERYWHERE and source.partition(".")[0] != "aws_vpc":
                yield Arrow(source, target, _MEANS.get(ends, ""))


def _logs(block: Mapping[str, Any], address: str) -> str:
    """The name of a log group, by which others speak of it."""
    return str(block["name"]) if address.startswith("aws_cloudwatch_log_group.") else "\n"


def _allowed(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """The block with of its policy only what that allows to be done, and with what."""
    if "policy" not in block or not isinstance(block["policy"], str):
        return block
    statements = json.loads(block["policy"])["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    return {**block, "policy": [{key: each[key] for key in ("Action", "Resource")} for each in allowed]}


def _names(blocks: Blocks) -> Iterator[tuple[str, str]]:
    """How policies and locations speak of resources without an expression: text, and who is meant."""
    for address, block in blocks.items():
        type = address.partition(".")[0]
        if type == "aws_s3_bucket":
            yield f"s3:::{block['bucket']}", address
            yield f"s3://{block['bucket']}/", address
        elif type == "aws_glue_catalog_database":
            yield f":database/{block['name']}", address
        elif type == "aws_athena_workgroup":
            yield f":workgroup/{block['name']}", address
        elif type == "aws_s3tables_table_bucket":
            yield f":bucket/{block['name']}", address


def _composed(cards: Mapping[str, Card], network: str, blocks: Blocks) -> Group:
    """The frames: access on the left, engines and network, data on the right, what watches and guards below."""
    left = dict(cards)
    left.pop(network, None)

    def take(*starts: str) -> list[Card]:
        found = [left[address] for address in left if address.startswith(starts)]
        for each in found:
            del left[each.id]
        return found

    principals = take("aws_iam_role.principal_")
    workflows = take("aws_iam_openid_connect_provider.", "aws_iam_role.github_")
    services = take("aws_iam_role.", "aws_iam_service_linked_role.")
    within = take("aws_emrserverless_application.", "aws_instance.", "aws_autoscaling_group.")
    athena = take("aws_athena_workgroup.")
    groups, endpoints = take("aws_security_group."), take("aws_vpc_endpoint.")
    subnets, zones = take("aws_subnet."), take("aws_route53_zone.")
    catalog = take("aws_glue_catalog_database.", "aws_s3tables_namespace.")
    buckets = take("aws_s3tables_table_bucket.", "aws_s3_bucket.")
    guards = take("aws_kms_key.", "aws_secretsmanager_secret.")
    watch = take("aws_cloudwatch_", "aws_budgets_", "aws_sns_topic.", "aws_sns_topic_subscription.")
    steps = take("terraform_data.")
    access = [
        _frame("principals", "Principals", "access", principals),
        _frame("workflows", "Workflows (GitHub)", "access", workflows, 1, 36),
        _frame("services", "Roles of services", "access", services),
    ]
    inside = [
        _frame("clusters", "Engines", "engine", within, 2 if len(within) > 1 else 1),
        _frame("groups", "Security groups", "network", groups),
        _frame("endpoints", "Endpoints of AWS services", "network", endpoints, 3),
        _frame("subnets", "Subnets", "network", [*subnets, *zones]),
    ]
    vpc = blocks.get(network, {})
    engines = [
        _frame("athena", "Athena", "engine", athena, 3),
        _frame("network", f"VPC {vpc.get('cidr_block', '')}: no way in or out but these", "network", _kept(inside), 2),
    ]
    contents = [
        _frame("catalog", "Catalog", "catalog", catalog, 2),
        _frame("store", "Store", "store", buckets, 2, 56),
        _frame("steps", "Steps of the deploy", "step", steps, 2),
    ]
    below = [
        _frame("guards", "Keys and secrets", "security", guards, 3),
        _frame("watch", "Watch", "watch", watch, 6, 56),
        _frame("others", "Others", "other", list(left.values()), 6),
    ]
    columns = [Group(f"column-{nth}", "", "other", _kept(each)) for nth, each in enumerate((access, engines, contents))]
    bottom = _kept(below)
    rows = (
        Group("above", "", "other", tuple(columns), 3),
        Group("below", "", "other", bottom, len(bottom)),
    )
    return Group("stack", "", "other", rows)


def _frame(
    key: str, title: str, family: Family, children: Sequence[Card | Group], columns: int = 1, gap: float = 24
) -> Group:
    return Group(key, title, family, tuple(children), columns, gap)


def _kept(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Those that hold something."""
    return tuple(group for group in groups if group.children)
