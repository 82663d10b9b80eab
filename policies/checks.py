"""Our own checks. Each gets a synthesised stack (cdk.tf.json) and yields its violations, as ``address: what``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

StackJson = Mapping[str, Any]
OPEN = ("0.0.0.0/0", "::/0")
TAGS = ("lakehouse", "owner", "cost-center")
_WAYS_OUT = ("aws_internet_gateway", "aws_egress_only_internet_gateway", "aws_nat_gateway", "aws_eip")
_S3_WRITES = re.compile(r"s3:(Put|Delete|Abort|Restore|Replicate)|s3:\*|\*$")


def _of(stack: StackJson, type: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.get("resource", {}).get(type, {})
    return found


def _about(stack: StackJson, type: str, bucket: str) -> Iterator[Mapping[str, Any]]:
    """The resources of a type that belong to a bucket."""
    reference = f"${{aws_s3_bucket.{bucket}.id}}"
    yield from (each for each in _of(stack, type).values() if each["bucket"] == reference)


def _statements(policy: str) -> list[Mapping[str, Any]]:
    found = json.loads(policy)["Statement"]
    return found if isinstance(found, list) else [found]


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def buckets_have_a_lifecycle(stack: StackJson) -> Iterator[str]:
    """Every bucket deletes unfinished uploads, and every rule is enabled."""
    for name in _of(stack, "aws_s3_bucket"):
        rules = [
            rule
            for each in _about(stack, "aws_s3_bucket_lifecycle_configuration", name)
            for rule in each["rule"]
            if rule["status"] == "Enabled"
        ]
        if not any("abort_incomplete_multipart_upload" in rule for rule in rules):
            yield f"aws_s3_bucket.{name}: no lifecycle rule that ends unfinished uploads"


def buckets_require_tls(stack: StackJson) -> Iterator[str]:
    """Every bucket denies requests without TLS: all actions, on it and on its objects."""
    for name in _of(stack, "aws_s3_bucket"):
        arn = f"${{aws_s3_bucket.{name}.arn}}"
        statements = [
            statement
            for each in _about(stack, "aws_s3_bucket_policy", name)
            for statement in _statements(each["policy"])
            if statement["Effect"] == "Deny"
            and statement["Principal"] in ("*", {"AWS": "*"})
            and statement["Action"] == "s3:*"
            and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        covered = {resource for statement in statements for resource in _many(statement["Resource"])}
        if not {arn, f"{arn}/*"} <= covered:
            yield f"aws_s3_bucket.{name}: requests without TLS are not denied"


def buckets_are_private(stack: StackJson) -> Iterator[str]:
    """Every bucket blocks public access in all four ways."""
    ways = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    for name in _of(stack, "aws_s3_bucket"):
        blocks = list(_about(stack, "aws_s3_bucket_public_access_block", name))
        if not any(all(each.get(way) is True for way in ways) for each in blocks):
            yield f"aws_s3_bucket.{name}: public access is not blocked"


def principals_stay_within(stack: StackJson) -> Iterator[str]:
    """No policy of a role has an action with a wildcard, or writes to S3 outside a prefix of a bucket.

    A permissions boundary gives nothing, unless it is also attached.
    """
    limits = {role.get("permissions_boundary", "") for role in _of(stack, "aws_iam_role").values()}
    limits -= {each["policy_arn"] for each in _of(stack, "aws_iam_role_policy_attachment").values()}
    policies = {
        f"{type}.{name}": each
        for type in ("aws_iam_policy", "aws_iam_role_policy")
        for name, each in _of(stack, type).items()
        if f"${{{type}.{name}.arn}}" not in limits
    }
    for address, policy in policies.items():
        for statement in _statements(policy["policy"]):
            if statement["Effect"] != "Allow":
                continue
            at = f"{address}: {statement.get('Sid', 'a statement')}"
            if "NotAction" in statement or "NotResource" in statement:
                yield f"{at}: lists what is not allowed instead of what is"
                continue
            actions = _many(statement["Action"])
            yield from (f"{at}: {action} has a wildcard" for action in actions if "*" in action)
            if any(_S3_WRITES.match(action) for action in actions):
                for resource in _many(statement["Resource"]):
                    key = resource.partition("/")[2]
                    if not key.rstrip("*").strip("/"):
                        yield f"{at}: writes to {resource}, which is not a prefix of a bucket"


def tags_are_set(stack: StackJson) -> Iterator[str]:
    """The provider tags everything with owner and cost center. Resources that it does not reach have their own tags."""
    default: Mapping[str, str] = {}
    for provider in stack.get("provider", {}).get("aws", []):
        for block in provider.get("default_tags", []):
            default = block["tags"]
    if missing := [tag for tag in TAGS if not default.get(tag)]:
        yield f"provider.aws: default_tags without {', '.join(missing)}"
    for name, group in _of(stack, "aws_autoscaling_group").items():
        own = {tag["key"] for tag in group.get("tag", []) if tag["propagate_at_launch"]}
        if missing := [tag for tag in TAGS if tag not in own]:
            yield f"aws_autoscaling_group.{name}: its instances have no {', '.join(missing)}"
    for name, template in _of(stack, "aws_launch_template").items():
        for kind in ("instance", "volume"):
            said = [each["tags"] for each in template.get("tag_specifications", []) if each["resource_type"] == kind]
            if not said or any(tag not in said[0] for tag in TAGS):
                yield f"aws_launch_template.{name}: a started {kind} has no tags"


def nothing_is_open(stack: StackJson) -> Iterator[str]:
    """No rule from or to everywhere, no public address, no route to the internet."""
    for type, named in stack.get("resource", {}).items():
        for name, block in named.items():
            address = f"{type}.{name}"
            if type in _WAYS_OUT:
                yield f"{address}: a route to the internet"
            if type.startswith(("aws_security_group", "aws_vpc_security_group", "aws_route", "aws_network_acl")):
                text = json.dumps({key: value for key, value in block.items() if key != "//"})
                yield from (f"{address}: open to {everywhere}" for everywhere in OPEN if f'"{everywhere}"' in text)
            public = [block.get("map_public_ip_on_launch"), block.get("associate_public_ip_address")]
            public += [each.get("associate_public_ip_address") for each in block.get("network_interfaces", [])]
            if any(each in (True, "true") for each in public):
                yield f"{address}: a public address"


def secrets_are_not_in_state(stack: StackJson) -> Iterator[str]:
    """A secret's value is set only by write-only arguments, from a resource that is in no state."""
    for name, version in _of(stack, "aws_secretsmanager_secret_version").items():
        for key in ("secret_string", "secret_binary"):
            if key in version:
                yield f"aws_secretsmanager_secret_version.{name}: {key} is kept in the state"
        if not str(version.get("secret_string_wo", "")).startswith("${ephemeral."):
            yield f"aws_secretsmanager_secret_version.{name}: its value does not come from an ephemeral resource"


CHECKS: tuple[Callable[[StackJson], Iterator[str]], ...] = (
    buckets_have_a_lifecycle,
    buckets_require_tls,
    buckets_are_private,
    principals_stay_within,
    tags_are_set,
    nothing_is_open,
    secrets_are_not_in_state,
)
