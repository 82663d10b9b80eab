"""The effect of each option of the file on the stack."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.synth.aws.attached import policies, resolved
from tests.synth.aws.conftest import FILE, STACKS, synthesise
from tests.synth.aws.rules.s3 import days
from tests.synth.aws.simulator import Request, allowed, glue, s3

_CONTENTS = """
name: demo
buckets:
  kept: {versioning: true}
  gone: {deletable: true, expire_days: 3}
catalogs:
  lake:
    location: s3://kept/lake
    namespaces:
      stays: {}
      goes: {deletable: true}
"""
_ACCESS = """
access:
  roles:
    reader: {grants: {lake: [read]}}
  principals:
    tagged: {roles: [reader]}
    named:
      roles: [reader]
      trust:
        - arn:aws:iam::123456789012:role/analysts
        - {arn: "arn:aws:iam::999999999999:role/loader", external_id: a-word-of-theirs}
"""
_VERSIONED = """
  brief: {versioning: true, noncurrent_days: 90, expire_days: 3}
  every: {versioning: true, expire_days: 3}
catalogs:
"""
_STACKS = """
stacks:
  shut: {region: eu-west-1, store: s3, catalogs: {lake: glue}}
  open: {region: eu-west-1, store: s3, catalogs: {lake: glue}, allow_destroy: true, optimizers: true}
"""
_ROLES = """
stacks:
  tables:
    region: eu-west-1
    store: s3tables
    catalogs: {lake: glue}
    allow_destroy: true
    github: {repository: example/lakehouse, owner_id: 123456, repository_id: 456789}
    backend: {bucket: example-terraform-state}
  machines:
    region: eu-west-1
    store: s3
    catalogs: {lake: glue}
    engines: ec2
    github: {repository: example/lakehouse, owner_id: 123456, repository_id: 456789}
    backend: {bucket: example-terraform-state}
"""
_PROOF = """
import re, runpy, sys
try:
    runpy.run_path(sys.argv[1], run_name="__main__")
except SystemExit as end:
    assert not end.code
print("imported" if any("provider_aws" in name for name in sys.modules) else "clean", file=open("modules", "w"))
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=open("memory", "w"))
"""


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for text in (
        _CONTENTS.replace("\ncatalogs:\n", _VERSIONED) + _ACCESS + _STACKS,
        _CONTENTS.replace("kept: {versioning: true}", "kept: {}") + _ROLES,
    ):
        folder = tmp_path_factory.mktemp("variants")
        file = folder / "lakehouse.yaml"
        file.write_text(text)
        found |= synthesise(folder, file)
    return found


def _protected(block: Mapping[str, Any]) -> bool:
    return bool(block.get("lifecycle", {}).get("prevent_destroy"))


@pytest.mark.parametrize(
    ("stack", "bucket", "deleted"),
    [("shut", "kept", False), ("shut", "gone", False), ("open", "kept", False), ("open", "gone", True)],
)
def test_a_bucket_goes_by_two_keys(variants: Mapping[str, Any], stack: str, bucket: str, deleted: bool) -> None:
    block = variants[stack]["resource"]["aws_s3_bucket"][f"store_{bucket}_bucket"]
    assert block["force_destroy"] is deleted
    assert _protected(block) is not deleted


@pytest.mark.parametrize(
    ("stack", "namespace", "deleted"),
    [("shut", "stays", False), ("shut", "goes", False), ("open", "stays", False), ("open", "goes", True)],
)
def test_a_database_goes_by_two_keys(variants: Mapping[str, Any], stack: str, namespace: str, deleted: bool) -> None:
    block = variants[stack]["resource"]["aws_glue_catalog_database"][f"glue_lake_{namespace}"]
    assert _protected(block) is not deleted


def test_table_buckets_and_their_namespaces_go_by_two_keys(variants: Mapping[str, Any]) -> None:
    resource = variants["tables"]["resource"]
    assert _protected(resource["aws_s3tables_table_bucket"]["tables_kept"])
    assert _protected(resource["aws_s3tables_namespace"]["tables_lake_stays"])
    assert not _protected(resource["aws_s3tables_namespace"]["tables_lake_goes"])
    assert "aws_glue_catalog_database" not in resource


def test_the_key_stays_while_anything_that_it_encrypts_does(variants: Mapping[str, Any]) -> None:
    assert _protected(variants["open"]["resource"]["aws_kms_key"]["key_main"])


@pytest.mark.parametrize(
    ("bucket", "current", "versions"),
    [("kept", None, None), ("gone", 3, 30), ("brief", 3, 90), ("every", 3, None)],
)
def test_versions_are_kept_as_the_file_says(
    variants: Mapping[str, Any], bucket: str, current: int | None, versions: int | None
) -> None:
    """Whatever the other rules of the bucket are: S3 applies the one that ends a version first."""
    name = f"store_{bucket}_bucket"
    assert days(variants["shut"], name, "expiration", "days") == current
    assert days(variants["shut"], name, "noncurrent_version_expiration", "noncurrent_days") == versions


@pytest.mark.parametrize("name", ["aws", "clusters"])
def test_nothing_is_left_of_an_object_whose_versions_have_ended(stacks: Mapping[str, Any], name: str) -> None:
    """Marks of deletion would grow in number for ever, and slow down each listing."""
    for address, block in stacks[name]["resource"]["aws_s3_bucket_lifecycle_configuration"].items():
        ends = [key for rule in block["rule"] for part in rule.get("expiration", []) for key in part]
        versions_end = any("noncurrent_version_expiration" in rule for rule in block["rule"])
        assert len(ends) == versions_end, address  # S3 takes no rule with both
        assert set(ends) <= {"days", "expired_object_delete_marker"}


def test_what_is_not_asked_for_is_not_there(variants: Mapping[str, Any]) -> None:
    resource = variants["shut"]["resource"]
    asked = ["aws_emrserverless_application", "aws_athena_workgroup", "aws_budgets_budget", "aws_instance"]
    asked += ["aws_iam_openid_connect_provider", "aws_secretsmanager_secret", "aws_sns_topic_subscription"]
    assert [type for type in asked if type in resource] == []
    assert set(variants["shut"]["terraform"]["backend"]) == {"local"}


def test_stacks_of_one_account_share_no_name(variants: Mapping[str, Any]) -> None:
    taken: set[tuple[str, str]] = set()
    named = {"aws_s3_bucket": "bucket", "aws_iam_role": "name", "aws_kms_alias": "name", "aws_sns_topic": "name"}
    named |= {"aws_cloudwatch_log_group": "name", "aws_security_group": "name"}
    for stack in ("shut", "open"):
        own = {
            (type, block[key])
            for type, key in named.items()
            for block in variants[stack]["resource"].get(type, {}).values()
        }
        assert len(own) >= 6
        assert not own & taken
        taken |= own


def test_a_bucket_is_unique_by_account_and_region(stacks: Mapping[str, Any]) -> None:
    bucket = stacks["aws"]["resource"]["aws_s3_bucket"]["store_warehouse_bucket"]["bucket"]
    assert bucket == "employees-aws-warehouse-${data.aws_caller_identity.account.account_id}-eu-west-1"


def test_state_is_shared_locked_and_encrypted(stacks: Mapping[str, Any]) -> None:
    assert stacks["aws"]["terraform"]["backend"] == {
        "s3": {
            "bucket": "example-terraform-state",
            "key": "employees/aws.tfstate",
            "region": "eu-west-1",
            "encrypt": True,
            "use_lockfile": True,
        }
    }


@pytest.mark.parametrize("name", STACKS)
def test_everything_is_tagged(stacks: Mapping[str, Any], name: str) -> None:
    [provider] = stacks[name]["provider"]["aws"]
    [tags] = [each["tags"] for each in provider["default_tags"]]
    assert tags["lakehouse"] == f"employees-{name}"
    asked = ("data-platform@example.com", "4711") if name == "aws" else ("employees", "employees")
    assert (tags["owner"], tags["cost-center"]) == asked


def test_a_secret_is_in_no_state(stacks: Mapping[str, Any]) -> None:
    versions = stacks["clusters"]["resource"]["aws_secretsmanager_secret_version"]
    assert len(versions) == 2
    for version in versions.values():
        assert set(version) - {"//"} == {"secret_id", "secret_string_wo", "secret_string_wo_version"}
        assert version["secret_string_wo"].startswith("${ephemeral.aws_secretsmanager_random_password.")


def test_instances_are_shut(stacks: Mapping[str, Any]) -> None:
    resource = stacks["clusters"]["resource"]
    machines = [*resource["aws_launch_template"].values(), *resource["aws_instance"].values()]
    assert len(machines) == 4
    for each in machines:
        assert each["metadata_options"]["http_tokens"] == "required"
        assert "key_name" not in each
    assert "AmazonSSMManagedInstanceCore" in json.dumps(resource["aws_iam_role_policy_attachment"])
    assert resource["aws_autoscaling_group"]["engines_spark_workers"]["min_size"] == 2


WAREHOUSE = "employees-aws-warehouse-123456789012-eu-west-1"
TABLE = "arn:aws:s3tables:eu-west-1:123456789012:bucket/kept/table/some-id"


def _may(stack: Mapping[str, Any], action: str, resource: str, role: str = "plan") -> bool:
    """Whether the role's own policies let a role of the workflows do this."""

    def resolved(match: re.Match[str]) -> str:
        if match[1].endswith("account_id"):
            return "123456789012"
        return f"arn:aws:s3:::{WAREHOUSE}" if "warehouse" in match[1] else TABLE.partition("/table/")[0]

    own = [re.sub(r"\$\{([^}]+)\}", resolved, policy) for policy in policies(stack, f"github_{role}")]
    return allowed([*map(json.loads, own)], Request(action, (resource,)))


@pytest.mark.parametrize(
    ("key", "may"),
    [
        ("glue-warehouse/people/employees/metadata/00001-a.metadata.json", True),
        ("glue-warehouse/people/employees/metadata/00001-a.gz.metadata.json", True),
        ("glue-warehouse/people/employees/metadata/snap-1.avro", False),
        ("glue-warehouse/people/employees/data/role=x/0.parquet", False),
        ("anything.metadata.json", False),
    ],
)
def test_planning_reads_metadata_and_no_data(stacks: Mapping[str, Any], key: str, may: bool) -> None:
    assert _may(stacks["aws"], "s3:GetObject", f"arn:aws:s3:::{WAREHOUSE}/{key}") is may
    assert not _may(stacks["aws"], "s3:GetObjectVersion", f"arn:aws:s3:::{WAREHOUSE}/{key}")
    assert _may(stacks["aws"], "s3:GetObject", f"arn:aws:s3:::of-others/{key}") is False


STATE = "arn:aws:s3:::example-terraform-state/employees/aws.tfstate"


@pytest.mark.parametrize("object_", [STATE, f"{STATE}.tflock"])
def test_who_deploys_writes_only_the_state(stacks: Mapping[str, Any], object_: str) -> None:
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not _may(stacks["aws"], action, object_, "plan"), action
    assert _may(stacks["aws"], "s3:GetObject", STATE, "plan")
    assert _may(stacks["aws"], "s3:GetObject", object_, "deploy")
    assert _may(stacks["aws"], "s3:PutObject", object_, "deploy")


@pytest.mark.parametrize(("stack", "may"), [("tables", False), ("machines", True)])
def test_who_deploys_keeps_the_role_that_starts_instances(variants: Mapping[str, Any], stack: str, may: bool) -> None:
    resource = variants[stack]["resource"]
    suffix = f"demo-{stack}"
    made = resource.get("aws_iam_service_linked_role", {"none": {"custom_suffix": suffix}})
    assert [each["custom_suffix"] for each in made.values()] == [suffix]
    service = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com"
    role = f"{service}/AWSServiceRoleForAutoScaling_{suffix}"
    for action in ("GetRole", "TagRole", "UntagRole", "GetServiceLinkedRoleDeletionStatus"):
        assert _may(variants[stack], f"iam:{action}", role, "deploy") is may, action
    assert not _may(variants[stack], "iam:GetRole", f"{service}/AWSServiceRoleForAutoScaling", "deploy")


def test_planning_reads_no_rows_of_s3_tables(variants: Mapping[str, Any]) -> None:
    assert not _may(variants["tables"], "s3tables:GetTableData", TABLE)


def test_a_budget_warns_before_it_is_spent(stacks: Mapping[str, Any]) -> None:
    [budget] = stacks["aws"]["resource"]["aws_budgets_budget"].values()
    assert (budget["limit_amount"], budget["limit_unit"]) == ("200", "USD")
    assert [(each["notification_type"], each["threshold"]) for each in budget["notification"]] == [
        ("FORECASTED", 80),
        ("ACTUAL", 100),
    ]


def test_outputs_feed_the_bootstrap(stacks: Mapping[str, Any]) -> None:
    outputs = stacks["aws"]["output"]
    assert outputs["region"]["value"] == "eu-west-1"
    assert set(outputs["buckets"]["value"]) == {"warehouse", "staging", "query-results", "sources"}
    assert set(outputs["roles"]["value"]) == {"bi", "directory", "etl", "admin"}
    assert outputs["warehouses"]["value"]["glue_catalog"].endswith("-eu-west-1/glue-warehouse")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_synth_imports_no_bindings_and_stays_small(tmp_path: Path) -> None:
    main = FILE.parents[1] / "main.py"
    assert set(synthesise(tmp_path, FILE, "-c", _PROOF, str(main))) == set(STACKS)
    assert (tmp_path / "modules").read_text().strip() == "clean"
    assert int((tmp_path / "memory").read_text()) < 100 * 1024  # KiB


@pytest.mark.parametrize("name", STACKS)
def test_an_endpoint_serves_only_the_account(stacks: Mapping[str, Any], name: str) -> None:
    for service, endpoint in stacks[name]["resource"]["aws_vpc_endpoint"].items():
        if endpoint["vpc_endpoint_type"] != "Interface":
            continue
        text = endpoint["policy"].replace("${data.aws_caller_identity.account.account_id}", "123456789012")
        own = {"aws:PrincipalAccount": "123456789012", "aws:ResourceAccount": "123456789012"}
        assert allowed([json.loads(text)], Request("any:Thing", ("arn",), own)), service
        for key in own if service.partition("_")[2] in ("glue", "kms", "logs", "s3tables", "secretsmanager") else ():
            assert not allowed([json.loads(text)], Request("any:Thing", ("arn",), {**own, key: "0"})), (service, key)


@pytest.mark.parametrize("name", STACKS)
def test_a_service_uses_the_key_only_for_the_account(stacks: Mapping[str, Any], name: str) -> None:
    [key] = stacks[name]["resource"]["aws_kms_key"].values()
    for statement in json.loads(key["policy"])["Statement"]:
        if "Service" in statement["Principal"]:
            condition = json.dumps(statement["Condition"])
            # An ARN has the account in it; that services send one is what rules/schedules.py asks for.
            known = ("aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:")
            assert any(each in condition for each in known), statement["Sid"]


@pytest.mark.parametrize(("bucket", "may"), [("employees-tables-warehouse", True), ("of-others", False)])
def test_s3_maintains_the_stacks_own_tables(stacks: Mapping[str, Any], bucket: str, may: bool) -> None:
    """With the context that AWS documents, and no other: a table whose key S3 may not use is not made."""
    policy = json.loads(resolved(stacks["tables"]["resource"]["aws_kms_key"]["key_main"]["policy"]))
    [statement] = [each for each in policy["Statement"] if each["Sid"] == "TableMaintenance"]
    assert statement["Principal"] == {"Service": "maintenance.s3tables.amazonaws.com"}
    table = f"arn:aws:s3tables:us-east-1:123456789012:bucket/{bucket}/table/00000000"
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        request = Request(action, ("arn",), {"kms:EncryptionContext:aws:s3:arn": table})
        assert allowed([{"Statement": [statement]}], request) is may


def test_a_principal_that_queried_can_be_removed(stacks: Mapping[str, Any]) -> None:
    workgroups = stacks["aws"]["resource"]["aws_athena_workgroup"].values()
    assert [each["force_destroy"] for each in workgroups] == [True] * 5


def test_optimizers_write_to_all_tables_and_make_none(variants: Mapping[str, Any]) -> None:
    roles = variants["open"]["resource"]["aws_iam_role"]
    [statement] = json.loads(roles["maintenance"]["assume_role_policy"])["Statement"]
    assert statement["Principal"] == {"Service": "glue.amazonaws.com"}
    assert "aws:SourceAccount" in json.dumps(statement["Condition"])
    assert roles["maintenance"]["permissions_boundary"] == "${aws_iam_policy.boundary.arn}"
    assert "maintenance" not in variants["shut"]["resource"]["aws_iam_role"]
    own = [json.loads(resolved(policy)) for policy in policies(variants["open"], "maintenance")]
    where = "arn:aws:glue:eu-west-1:123456789012"
    files = "demo-open-kept-123456789012-eu-west-1"
    for verb, may in (("GetTable", True), ("UpdateTable", True), ("CreateTable", False), ("DeleteTable", False)):
        assert allowed(own, glue(where, verb, "stays", "orders")) is may, verb
        assert not allowed(own, glue(where, verb, "of_others", "orders")), verb
    for verb in ("GetObject", "PutObject", "DeleteObject"):
        assert allowed(own, s3(verb, files, "lake/stays/orders/data/0.parquet")), verb
        assert not allowed(own, s3(verb, files, "other/0.parquet")), verb
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws-glue/iceberg-compaction/logs:log-stream:x"
    assert allowed(own, Request("logs:PutLogEvents", (group,)))


def test_whom_the_file_trusts_reaches_the_stack(variants: Mapping[str, Any]) -> None:
    roles = variants["shut"]["resource"]["aws_iam_role"]
    own, theirs = json.loads(roles["principal_named"]["assume_role_policy"])["Statement"]
    assert own["Condition"] == {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::123456789012:role/analysts"]}}
    assert theirs["Condition"] == {
        "ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::999999999999:role/loader"]},
        "StringEquals": {"sts:ExternalId": "a-word-of-theirs"},
    }
    assert (own["Principal"], theirs["Principal"]) == (
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": "arn:aws:iam::999999999999:root"},
    )
    [tagged] = json.loads(roles["principal_tagged"]["assume_role_policy"])["Statement"]
    assert tagged["Condition"] == {"StringEquals": {"aws:PrincipalTag/lakehouse-principal": "tagged"}}
