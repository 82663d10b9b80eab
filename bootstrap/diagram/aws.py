"""A stack in AWS as a picture: who reaches what, through which engines and networks, and what monitors it.

Every resource is shown, either by its own node or by the node of the resource it belongs to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.diagram import contents
from bootstrap.diagram.aws_names import node
from bootstrap.diagram.picture import Arrow, Group, Node, Picture, bundled, kept, known
from bootstrap.diagram.references import addresses, strings
from bootstrap.session.synthesised import Synthesised
from lakehouse.spec import AwsStack, Lakehouse

Blocks = Mapping[str, Mapping[str, Any]]

#: Resources that configure another one, and the argument that names that one.
PART_OF: Mapping[str, str] = {
    "aws_autoscaling_lifecycle_hook": "autoscaling_group_name",
    "aws_autoscaling_policy": "autoscaling_group_name",
    "aws_cloudwatch_log_metric_filter": "log_group_name",
    "aws_cloudwatch_event_target": "rule",
    "aws_default_security_group": "vpc_id",
    "aws_flow_log": "vpc_id",
    "aws_iam_instance_profile": "role",
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
    "aws_s3_object": "bucket",
    "aws_secretsmanager_secret_version": "secret_id",
    "aws_sns_topic_policy": "arn",
    "aws_ssm_association": "name",
    "aws_vpc_security_group_egress_rule": "security_group_id",
    "aws_vpc_security_group_ingress_rule": "security_group_id",
}
#: Resources that are shown by the resource that uses them.
USED_BY: Mapping[str, str] = {
    "aws_iam_policy": "aws_iam_role_policy_attachment",
    "aws_launch_template": "aws_autoscaling_group",
}
#: The resources that are namespaces, and the argument that names them.
_DATABASES: Mapping[str, str] = {"aws_glue_catalog_database": "name", "aws_s3tables_namespace": "namespace"}
_STORES = ("aws_s3tables_table_bucket", "aws_s3_bucket")
#: Resources that all others name. Arrows to them would show nothing new.
_EVERYWHERE = ("aws_kms_key", "aws_vpc", "aws_subnet")
#: What an arrow between two types means. Other arrows have no label.
_MEANS: Mapping[tuple[str, str], str] = {
    ("aws_athena_workgroup", "aws_s3_bucket"): "results",
    ("aws_autoscaling_group", "aws_iam_role"): "as",
    ("aws_budgets_budget", "aws_sns_topic"): "notifies",
    ("aws_cloudwatch_metric_alarm", "aws_emrserverless_application"): "watches",
    ("aws_cloudwatch_event_rule", "aws_codebuild_project"): "watches",
    ("aws_cloudwatch_event_rule", "aws_sns_topic"): "notifies",
    ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_event_rule"): "watches",
    ("aws_cloudwatch_metric_alarm", "aws_instance"): "watches",
    ("aws_cloudwatch_metric_alarm", "aws_sns_topic"): "notifies",
    ("aws_cloudwatch_metric_alarm", "aws_sqs_queue"): "watches",
    ("aws_codebuild_project", "aws_cloudwatch_log_group"): "logs",
    ("aws_codebuild_project", "aws_iam_role"): "as",
    ("aws_codebuild_project", "aws_s3_bucket"): "sources",
    ("aws_codebuild_project", "aws_secretsmanager_secret"): "read",
    ("aws_emrserverless_application", "aws_cloudwatch_log_group"): "logs",
    ("aws_emrserverless_application", "aws_glue_catalog_database"): "tables",
    ("aws_emrserverless_application", "aws_s3_bucket"): "files",
    ("aws_emrserverless_application", "aws_s3tables_table_bucket"): "tables",
    ("aws_glue_catalog_database", "aws_s3_bucket"): "location",
    ("aws_iam_role", "aws_athena_workgroup"): "query",
    ("aws_iam_role", "aws_cloudwatch_log_group"): "logs",
    ("aws_iam_role", "aws_codebuild_project"): "starts",
    ("aws_iam_role", "aws_emrserverless_application"): "run jobs",
    ("aws_iam_role", "aws_glue_catalog_database"): "tables",
    ("aws_iam_role", "aws_iam_policy"): "at most",
    ("aws_iam_role", "aws_s3_bucket"): "files",
    ("aws_iam_role", "aws_s3tables_table_bucket"): "tables",
    ("aws_iam_role", "aws_secretsmanager_secret"): "read",
    ("aws_instance", "aws_iam_role"): "as",
    ("aws_s3_bucket", "aws_s3_bucket"): "access logs",
    ("aws_s3tables_namespace", "aws_s3tables_table_bucket"): "in",
    ("aws_scheduler_schedule", "aws_codebuild_project"): "starts",
    ("aws_scheduler_schedule", "aws_iam_role"): "as",
    ("aws_scheduler_schedule", "aws_scheduler_schedule_group"): "in",
    ("aws_scheduler_schedule", "aws_sqs_queue"): "failed starts",
    ("aws_security_group", "aws_vpc_endpoint"): "443",
    ("aws_sns_topic_subscription", "aws_sns_topic"): "subscribes",
    ("terraform_data", "aws_glue_catalog_database"): "tables",
}


def picture(lakehouse: Lakehouse, stack: Synthesised) -> Picture:
    """The picture of a stack in AWS."""
    blocks = stack.resources
    there = lakehouse.stacks[stack.name]
    assert isinstance(there, AwsStack)
    [provider] = stack.document["provider"]["aws"]
    [tags] = [each["tags"] for each in provider["default_tags"]]
    owners = {address: _owner(address, blocks) for address in blocks}
    of_file = _of_file(lakehouse, blocks)
    catalogs = [contents.catalog(name, each, there.catalogs[name].kind) for name, each in lakehouse.catalogs.items()]
    nodes = {each: node(each, blocks[each], str(tags["lakehouse"])) for each in owners.values() if each not in of_file}
    root = Group(
        "stack",
        f"{lakehouse.name}, stack {stack.name}, in AWS {provider['region']}",
        kept(contents.principals(lakehouse), *_groups(nodes, blocks, catalogs)),
    )
    granted = tuple(contents.granted(lakehouse))
    said = {each.source for each in granted}  # the file describes what these do with tables
    tables = {each.id for group in catalogs for each in group.nodes()}
    uses = (
        Arrow(of_file.get(each.source, each.source), of_file.get(each.target, each.target), each.label)
        for each in _arrows(owners, blocks)
    )
    further = known(root, (each for each in uses if not (each.source in said and each.target in tables)))
    return Picture(root, (*known(root, granted), *bundled(root, further)))


def _of_file(lakehouse: Lakehouse, blocks: Blocks) -> dict[str, str]:
    """The resources that a node of the file's contents shows, with that node: databases, and roles of principals."""
    found = {f"aws_iam_role.principal_{each}": f"principal {each}" for each in lakehouse.access.principals}
    for name, content in lakehouse.catalogs.items():
        found |= {
            address: contents.place(lakehouse, f"{name}.{block[argument]}")
            for type, argument in _DATABASES.items()
            for address, block in blocks.items()
            if address.startswith(f"{type}.") and block[argument] in content.namespaces
        }
    return found


def _owner(address: str, blocks: Blocks) -> str:
    """The resource that shows this one: itself, or the one it belongs to."""
    type = address.partition(".")[0]
    if type in PART_OF:
        named = [each for each in addresses({"": blocks[address].get(PART_OF[type])}) if each in blocks]
        return _owner(named[0], blocks) if named else address
    if type in USED_BY:
        users = [
            other
            for other, block in blocks.items()
            if other.startswith(f"{USED_BY[type]}.") and address in addresses(block)
        ]
        return _owner(users[0], blocks) if users else address
    return address


def _arrows(owners: Mapping[str, str], blocks: Blocks) -> Iterator[Arrow]:
    names = list(_names(blocks))
    for address, block in blocks.items():
        source = owners[address]
        if address.startswith("aws_vpc_endpoint."):
            continue  # its group shows its policy and its network
        if address == "terraform_data.kept":
            continue  # it only waits for the resources that hold data, and does not use them
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
    """The name of a log group, by which others refer to it."""
    return str(block["name"]) if address.startswith("aws_cloudwatch_log_group.") else "\n"


def _allowed(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """The block, with its policy reduced to the allowed actions and their resources."""
    if "policy" not in block or not isinstance(block["policy"], str):
        return block
    statements = json.loads(block["policy"])["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    return {**block, "policy": [{key: each[key] for key in ("Action", "Resource")} for each in allowed]}


def _names(blocks: Blocks) -> Iterator[tuple[str, str]]:
    """The text by which policies and locations refer to a resource without an expression, and its address."""
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


def _groups(nodes: Mapping[str, Node], blocks: Blocks, catalogs: list[Group]) -> tuple[Group, ...]:
    """The groups in order: clients, engines, data, and then monitoring and keys."""
    left = dict(nodes)
    network = next((address for address in left if address.startswith("aws_vpc.")), "")
    left.pop(network, None)

    def take(title: str, *starts: str) -> Group:
        found = tuple(left.pop(address) for address in list(left) if address.startswith(starts))
        return Group(title, title, found)

    workflows = take("Workflows of GitHub", "aws_iam_role.github_")
    services = take("Roles of services", "aws_iam_role.", "aws_iam_service_linked_role.", "aws_iam_policy.")
    steps = take("Steps of the deploy", "terraform_data.")
    tasks = take("Tasks at their times", "aws_scheduler_", "aws_codebuild_project.", "aws_sqs_queue.")
    athena = take("Athena", "aws_athena_workgroup.")
    inside = kept(
        take("Engines", "aws_emrserverless_application.", "aws_instance.", "aws_autoscaling_group.", "aws_ssm_"),
        take("Security groups", "aws_security_group."),
        take("Endpoints of AWS services", "aws_vpc_endpoint."),
        take("Subnets", "aws_subnet.", "aws_route53_zone."),
    )
    store = take("Store", *_STORES)
    guards = take("Keys and secrets", "aws_kms_key.", "aws_secretsmanager_secret.")
    watch = take("Watch", "aws_cloudwatch_", "aws_budgets_", "aws_sns_topic.", "aws_sns_topic_subscription.")
    private = Group(
        "network", f"VPC {blocks.get(network, {}).get('cidr_block', '')}, no way in or out but these", inside
    )
    others = Group("others", "Others", tuple(left.values()))
    return kept(workflows, services, steps, tasks, athena, private, *catalogs, store, guards, watch, others)
