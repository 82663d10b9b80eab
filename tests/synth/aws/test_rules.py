"""AWS would refuse nothing of the stacks, by the services' own rules, and the rules find what it would refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.synth.aws.conftest import STACKS
from tests.synth.aws.rules import names, refused, resource_policies, values

Resources = dict[str, Any]


@pytest.mark.parametrize("name", STACKS)
def test_no_service_refuses_anything(stacks: Mapping[str, Any], name: str) -> None:
    assert refused(stacks[name]) == []


def _policy(statements: list[dict[str, Any]]) -> Callable[[Resources], None]:
    def breaks(of: Resources) -> None:
        policy = json.loads(of["aws_iam_policy"]["principal_bi_policy_1"]["policy"])
        policy["Statement"] += statements
        of["aws_iam_policy"]["principal_bi_policy_1"]["policy"] = json.dumps(policy)

    return breaks


def _long_name(of: Resources) -> None:
    of["aws_iam_role"]["principal_bi"]["name"] = "x" * 65


def _many_policies(of: Resources) -> None:
    attached = of["aws_iam_role_policy_attachment"]
    attached |= {f"x{nth}": attached["principal_bi_policy_1_attached"] for nth in range(10)}


def _long_trust(of: Resources) -> None:
    trust = json.loads(of["aws_iam_role"]["principal_bi"]["assume_role_policy"])
    trust["Statement"] *= 10
    of["aws_iam_role"]["principal_bi"]["assume_role_policy"] = json.dumps(trust)


def _inline(of: Resources) -> None:
    text = json.dumps({"Statement": [{"Resource": "x" * 6_000}]})
    of["aws_iam_role_policy"] = {name: {"role": "bi", "policy": text} for name in ("a", "b")}


def _spark(**properties: str | None) -> Callable[[Resources], None]:
    """Other properties of Spark; None leaves one out."""

    def breaks(of: Resources) -> None:
        [own] = of["aws_emrserverless_application"]["spark_bi"]["runtime_configuration"]
        for key, value in properties.items():
            own["properties"][key.replace("__", "-").replace("_", ".")] = value
        own["properties"] = {key: value for key, value in own["properties"].items() if value is not None}

    return breaks


def _as_formerly(of: Resources) -> None:
    """Before the file's sizes were in Spark's properties."""
    own = of["aws_emrserverless_application"]["spark_bi"]
    own["maximum_capacity"] = {"cpu": "6 vCPU", "memory": "15 GB"}
    [defaults] = own["runtime_configuration"]
    sized = ("spark.driver.", "spark.executor.", "spark.dynamicAllocation.", "spark.emr-serverless.")
    defaults["properties"] = {k: v for k, v in defaults["properties"].items() if not k.startswith(sized)}


def _many_properties(of: Resources) -> None:
    [own] = of["aws_emrserverless_application"]["spark_bi"]["runtime_configuration"]
    own["properties"] |= {f"spark.x{nth}": "" for nth in range(100)}


def _application_name(of: Resources) -> None:
    of["aws_emrserverless_application"]["spark_bi"]["name"] = "x" * 65


def _not_stopped(of: Resources) -> None:
    del of["terraform_data"]["stopped"]


def _another_is_stopped(of: Resources) -> None:
    of["terraform_data"]["stopped"]["depends_on"].remove("aws_emrserverless_application.spark_bi")


def _endpoint(sid: str) -> Callable[[Resources], None]:
    """The endpoint's policy without a statement."""

    def breaks(of: Resources) -> None:
        [own] = [each for each in of["aws_vpc_endpoint"].values() if each["vpc_endpoint_type"] == "Gateway"]
        policy = json.loads(own["policy"])
        policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != sid]
        own["policy"] = json.dumps(policy)

    return breaks


def _tables_in_results(of: Resources) -> None:
    block = of["aws_s3_bucket_policy"]["store_query_results_policy"]
    policy = json.loads(block["policy"])
    policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != "NoTables"]
    block["policy"] = json.dumps(policy)


EMR = "aws_emrserverless_application.spark_bi: "
S3_ENDPOINT = "aws_vpc_endpoint.network_s3: "


@pytest.mark.parametrize(
    ("breaks", "found"),
    [
        (_as_formerly, f"{EMR}a job asks for 16 of cpu, and the application has 6 vCPU"),
        (_spark(spark_dynamicAllocation_maxExecutors="3"), f"{EMR}a job asks for 8 of cpu"),
        (_spark(spark_executor_cores="3"), f"{EMR}there is no executor with 3 vCPU"),
        (_spark(spark_driver_memory="40g"), f"{EMR}a driver has"),
        (_spark(spark_executor_cores="8", spark_executor_memory="17g"), f"{EMR}there is no executor with 8 vCPU and"),
        (_spark(spark_emr__serverless_driver_disk="10G"), f"{EMR}there is no driver with 10 GB of disk"),
        (_spark(spark_sql_catalogImplementation=None), f"{EMR}Spark asks Glue"),
        (_many_properties, f"{EMR}1"),
        (_application_name, f"{EMR}the name"),
        (_not_stopped, f"{EMR}nothing stops it"),
        (_another_is_stopped, f"{EMR}nothing stops it"),
        (_tables_in_results, "aws_athena_workgroup.athena_bi: a table without a location is deleted"),
        (_endpoint("EmrLogs"), f"{S3_ENDPOINT}s3:PutObject on arn:aws:s3:::prod.eu-west-1.appinfo.src"),
        (_endpoint("OwnBuckets"), f"{S3_ENDPOINT}s3:GetObject on"),
        (
            _policy([{"Action": ["logs:DescribeLogStreams"], "Resource": ["arn:aws:logs:r:1:log-group:g"]}]),
            "aws_iam_policy.principal_bi_policy_1: logs:DescribeLogStreams",
        ),
        (_policy([{"Action": [], "Resource": ["x" * 6_144]}]), "aws_iam_policy.principal_bi_policy_1: "),
        (
            _policy([{"Sid": "Same", "Action": []}, {"Sid": "Same", "Action": []}]),
            "aws_iam_policy.principal_bi_policy_1: 2 statements named Same",
        ),
        (_policy([{"Sid": "S3-x", "Action": []}]), "aws_iam_policy.principal_bi_policy_1: 1 statements named S3-x"),
        (_long_name, "aws_iam_role.principal_bi: the name"),
        (_many_policies, "${aws_iam_role.principal_bi.name}: 11 policies attached"),
        (_long_trust, "aws_iam_role.principal_bi: "),
        (_inline, "bi: 12"),
    ],
)
def test_the_rules_find_it(stacks: Mapping[str, Any], breaks: Callable[[Resources], None], found: str) -> None:
    broken = json.loads(json.dumps(stacks["aws"]))
    breaks(broken["resource"])
    assert any(each.startswith(found) for each in refused(broken)), refused(broken)


def test_the_files_of_s3_tables_pass_the_endpoint(stacks: Mapping[str, Any]) -> None:
    broken = json.loads(json.dumps(stacks["tables"]))
    _endpoint("OwnTables")(broken["resource"])
    assert any("s3tables:PutTableData" in each for each in refused(broken))


#: A stack of the example, a type of resource, an argument, what it becomes in the first resource, and what is found.
_CHANGED: list[tuple[str, str, str, Any, str]] = [
    ("aws", "aws_s3_bucket", "bucket", "x" * 64, "the name"),
    ("aws", "aws_s3_bucket", "bucket", "sthree-lake", "the name"),
    ("aws", "aws_s3_bucket", "bucket", "lake--ol-s3", "the name"),
    ("aws", "aws_s3_bucket", "bucket", "employees-aws-staging-123456789012-eu-west-1", "is also that of"),
    ("tables", "aws_s3tables_table_bucket", "name", "aws-lake", "the name"),
    ("tables", "aws_s3tables_namespace", "namespace", "awsome", "the name"),
    ("tables", "aws_s3tables_namespace", "namespace", "sales_", "the name"),
    ("aws", "aws_glue_catalog_database", "name", "x" * 256, "the name"),
    ("aws", "aws_glue_catalog_database", "name", "Sales", "the name"),
    ("aws", "aws_glue_catalog_database", "description", "x" * 2_049, "the description"),
    ("aws", "aws_athena_workgroup", "name", "x" * 129, "the name"),
    ("aws", "aws_athena_workgroup", "name", "two words", "the name"),
    ("aws", "aws_cloudwatch_log_group", "name", "aws/engines", "the name"),
    ("aws", "aws_cloudwatch_metric_alarm", "alarm_name", "x" * 256, "the name"),
    ("aws", "aws_sns_topic", "name", "with.dot", "the name"),
    ("aws", "aws_budgets_budget", "name", "demo:aws", "the name"),
    ("aws", "aws_kms_alias", "name", "alias/aws/demo", "the name"),
    ("clusters", "aws_secretsmanager_secret", "name", "demo/trino-secret", "the name"),
    ("aws", "aws_security_group", "name", "sg-demo", "the name"),
    ("aws", "aws_security_group", "description", "Trino\u2019s nodes", "the description"),
    ("clusters", "aws_launch_template", "name", "two words", "the name"),
    ("clusters", "aws_ssm_document", "name", "aws-demo-configure", "the name"),
    ("clusters", "aws_ssm_document", "content", "x" * 65_537, "a document of 65537"),
    ("clusters", "aws_ssm_association", "association_name", "two words", "the name"),
    ("clusters", "aws_autoscaling_lifecycle_hook", "heartbeat_timeout", 7_201, "no hook waits"),
    ("clusters", "aws_autoscaling_group", "max_size", 0, "it has at least"),
    ("clusters", "aws_iam_service_linked_role", "custom_suffix", "x" * 36, "the name"),
    ("clusters", "aws_route53_zone", "name", f"{'x' * 64}.internal", "the name"),
    ("aws", "aws_iam_role", "description", "The lakehouse\u2019s role", "the description"),
    ("aws", "aws_vpc", "tags", {f"t{nth}": "" for nth in range(50)}, "54 tags, of 50"),
    ("aws", "aws_vpc", "tags", {"aws:owner": "me"}, "the tag"),
    ("aws", "aws_vpc", "tags", {"owner": "x" * 257}, "the tag"),
    ("aws", "aws_vpc", "tags", {"owner": "me; you"}, "the tag"),
    ("aws", "aws_kms_key", "policy", "x" * 32_769, "a policy of 32769 characters"),
    ("aws", "aws_s3_bucket_policy", "policy", "x" * 20_481, "a policy of 20481 characters"),
    ("clusters", "aws_vpc_endpoint", "policy", "x" * 20_481, "a policy of 20481 characters"),
    ("aws", "aws_sns_topic_policy", "policy", "x" * 30_721, "a policy of 30721 characters"),
    ("aws", "aws_cloudwatch_log_group", "retention_in_days", 366, "no log group keeps"),
    ("aws", "aws_kms_key", "deletion_window_in_days", 1, "no key waits"),
    ("clusters", "aws_secretsmanager_secret", "recovery_window_in_days", 7, "its name is taken"),
    ("aws", "aws_emrserverless_application", "auto_stop_configuration", {"idle_timeout_minutes": 0}, "it stops after"),
    ("aws", "aws_emrserverless_application", "scheduler_configuration", {"queue_timeout_minutes": 721}, "a job waits"),
    ("aws", "aws_athena_workgroup", "force_destroy", False, "it cannot be deleted after a query"),
    ("aws", "aws_athena_workgroup", "configuration", {"bytes_scanned_cutoff_per_query": 1}, "read too little"),
    ("aws", "aws_s3_bucket", "lifecycle", {}, "neither protected nor emptied"),
    ("aws", "aws_s3_bucket_lifecycle_configuration", "rule", [{"id": "a"}, {"id": "a"}], "its rules are"),
    ("aws", "aws_budgets_budget", "notification", [{"subscriber_sns_topic_arns": ["a", "b"]}], "too many"),
]


@pytest.mark.parametrize(("stack", "type", "argument", "value", "found"), _CHANGED)
def test_a_value_that_a_service_refuses_is_found(
    stacks: Mapping[str, Any], stack: str, type: str, argument: str, value: Any, found: str
) -> None:
    broken = json.loads(json.dumps(stacks[stack]))
    block = next(iter(broken["resource"][type].values()))
    block[argument] = value
    problems = [problem for rule in (names, resource_policies, values) for problem in rule.refused(broken)]
    assert [each.startswith(f"{type}.") and found in each for each in problems] == [True], problems
