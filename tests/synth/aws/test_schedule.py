"""Tasks at their times: what the stack has for them, each mistake in it, and what their roles may do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.synth.aws.attached import ACCOUNT, policies, resolved
from tests.synth.aws.conftest import FILE, synthesise
from tests.synth.aws.refreshes import requests
from tests.synth.aws.rules import schedules
from tests.synth.aws.simulator import Request, allowed, glue, s3

Resources = dict[str, Any]
WAREHOUSE = f"employees-aws-warehouse-{ACCOUNT}-eu-west-1"
SOURCES = f"employees-aws-sources-{ACCOUNT}-eu-west-1"
GLUE = f"arn:aws:glue:eu-west-1:{ACCOUNT}"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"


def _documents(stack: Mapping[str, Any], role: str) -> list[Any]:
    return [json.loads(resolved(each)) for each in policies(stack, role)]


def _actions(stack: Mapping[str, Any], role: str) -> set[str]:
    statements = [each for document in _documents(stack, role) for each in document["Statement"]]
    return {action for each in statements if each["Effect"] == "Allow" for action in each["Action"]}


def test_times_are_those_of_the_file(stacks: Mapping[str, Any]) -> None:
    found = stacks["aws"]["resource"]["aws_scheduler_schedule"].values()
    assert {each["name"]: each["schedule_expression"] for each in found} == {
        "maintenance": "cron(30 2 * * ? *)",
        "drift": "cron(0 5 ? * MON-FRI *)",
    }
    assert {each["schedule_expression_timezone"] for each in found} == {"Europe/Berlin"}


def test_a_stack_without_a_schedule_has_nothing_of_it(stacks: Mapping[str, Any]) -> None:
    text = json.dumps(stacks["clusters"])
    assert [
        each
        for each in ("aws_scheduler", "aws_codebuild", "aws_sqs", "events.amazonaws.com", "sources")
        if each in text
    ] == []


def _without(type: str, name: str) -> Callable[[Resources], None]:
    return lambda of: of[type].pop(name)


def _set(type: str, name: str, value: Any, *keys: str) -> Callable[[Resources], None]:
    """Another value of an argument, at the end of ``keys``; None removes it."""

    def breaks(of: Resources) -> None:
        block = of[type][name]
        for key in keys[:-1]:
            block = block[key]
        if value is None:
            del block[keys[-1]]
        else:
            block[keys[-1]] = value

    return breaks


def _policy(role: str, change: Callable[[list[Any]], None]) -> Callable[[Resources], None]:
    def breaks(of: Resources) -> None:
        for name, block in of["aws_iam_policy"].items():
            if name.startswith(f"{role}_policy_"):
                document = json.loads(block["policy"])
                change(document["Statement"])
                block["policy"] = json.dumps(document)

    return breaks


def _lacks(role: str, action: str) -> Callable[[Resources], None]:
    def change(statements: list[Any]) -> None:
        for each in statements:
            each["Action"] = [one for one in each["Action"] if one != action]

    return _policy(role, change)


def _gets(role: str, action: str, resource: str) -> Callable[[Resources], None]:
    added = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
    return _policy(role, lambda statements: statements.append(added))


def _statement(
    type: str, name: str, argument: str, sid: str, change: Callable[[Any], None]
) -> Callable[[Resources], None]:
    """A statement of a policy, changed; ``sid``: the one of that name."""

    def breaks(of: Resources) -> None:
        document = json.loads(of[type][name][argument])
        [found] = [each for each in document["Statement"] if each.get("Sid", "") == sid]
        change(found)
        of[type][name][argument] = json.dumps(document)

    return breaks


def _trust(role: str, change: Callable[[Any], None]) -> Callable[[Resources], None]:
    return _statement("aws_iam_role", role, "assume_role_policy", "", change)


def _nothing(statement: Any) -> None:
    statement["Action"] = "none:None"


def _unconditional(statement: Any) -> None:
    del statement["Condition"]


DRIFT, AT, STARTS, RUNS = "schedule_drift", "schedule_drift_at", "schedule_starts", "schedule_runs_drift"
SCHEDULE, PROJECT = "aws_scheduler_schedule", "aws_codebuild_project"
PATTERN = {"source": ["aws.codebuild"], "detail": {"project-name": ["employees-aws-drift"], "build-status": ["FAILED"]}}
MISTAKES: list[tuple[Callable[[Resources], None], str]] = [
    (_set(SCHEDULE, AT, None, "target", "dead_letter_config"), "no queue for failed starts"),
    (_without("aws_sqs_queue", "schedule_failed"), "no queue for failed starts"),
    (_set(SCHEDULE, AT, None, "group_name"), "no group"),
    (_set(SCHEDULE, AT, 186, "target", "retry_policy", "maximum_retry_attempts"), "MaximumRetryAttempts is 186"),
    (_set(SCHEDULE, AT, 59, "target", "retry_policy", "maximum_event_age_in_seconds"), "MaximumEventAgeInSeconds"),
    (_set(SCHEDULE, AT, "cron(0 5 * * * *)", "schedule_expression"), "is not a time of AWS's cron"),
    (_set(SCHEDULE, AT, f"cron({'0,' * 150}0 5 * * ? *)", "schedule_expression"), "ScheduleExpression is"),
    (_set(SCHEDULE, AT, "Berlin", "schedule_expression_timezone"), "Berlin is not a time zone"),
    (_set(SCHEDULE, AT, "FLEXIBLE", "flexible_time_window", "mode"), "at another time than the file says"),
    (_set(SCHEDULE, AT, "two words", "name"), "'two words'"),
    (_lacks(STARTS, "codebuild:StartBuild"), "its role may not codebuild:StartBuild"),
    (_lacks(STARTS, "sqs:SendMessage"), "its role may not sqs:SendMessage"),
    (_gets(STARTS, "codebuild:StartBuild", "*"), "its role may codebuild:StartBuild of others"),
    (_gets(STARTS, "sqs:SendMessage", "arn:aws:sqs:*"), "its role may sqs:SendMessage of others"),
    (_trust(STARTS, _unconditional), "scheduler takes its role for others than"),
    (_trust(STARTS, lambda each: each["Condition"].pop("StringEquals")), "scheduler takes its role for others than"),
    (_trust(STARTS, lambda each: each["Condition"]["ArnLike"].update({"aws:SourceArn": "x"})), "cannot take its role"),
    (_trust(RUNS, lambda each: each["Condition"].pop("ArnLike")), "codebuild takes its role for others than"),
    (_trust(RUNS, lambda each: each["Principal"].update({"Service": "ec2.amazonaws.com"})), "codebuild cannot take"),
    (_set("aws_cloudwatch_metric_alarm", "observe_start_failed", [], "alarm_actions"), "hears of a start that failed"),
    (_without("aws_cloudwatch_metric_alarm", "observe_failures_untold"), "nobody hears that a message was not sent"),
    (_set("aws_sqs_queue", "schedule_failed", False, "sqs_managed_sse_enabled"), "messages are not encrypted"),
    (_set(PROJECT, DRIFT, None, "concurrent_build_limit"), "a task may run twice at once"),
    (_set(PROJECT, DRIFT, None, "source_version"), "it runs what somebody puts there"),
    (_set(PROJECT, DRIFT, True, "environment", "privileged_mode"), "the rights of the machine"),
    (_set(PROJECT, DRIFT, 4, "build_timeout"), "timeoutInMinutes"),
    (_set(PROJECT, DRIFT, "BUILD_GENERAL1_TINY", "environment", "compute_type"), "BUILD_GENERAL1_TINY"),
    (_set(PROJECT, DRIFT, "two words", "name"), "'two words'"),
    (_set("aws_cloudwatch_log_group", "observe_schedule", None, "kms_key_id"), "not kept, or not encrypted"),
    (_set(PROJECT, DRIFT, "DISABLED", "logs_config", "cloudwatch_logs", "status"), "not kept, or not encrypted"),
    *((_lacks(RUNS, each), f"its role may not {each}") for each in (
        "s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketLocation", "kms:Decrypt", "logs:PutLogEvents",
        "logs:CreateLogStream",
    )),
    (_gets(RUNS, "s3:PutObject", f"arn:aws:s3:::{SOURCES}/*"), "its role may change what it runs"),
    (_set("aws_cloudwatch_event_rule", "schedule_failures", json.dumps(PATTERN), "event_pattern"), "a build that"),
    (_without("aws_cloudwatch_event_target", "schedule_failures_to_alerts"), "hears of a build that failed"),
    (_set("aws_cloudwatch_event_target", "schedule_failures_to_alerts", "arn:x", "role_arn"), "a build that failed"),
    (_statement("aws_sns_topic_policy", "observe_alerts_policy", "policy", "Events", _nothing), "the topic takes no"),
    (_statement("aws_sns_topic_policy", "observe_alerts_policy", "policy", "Events", _unconditional), "takes messages"),
    (_statement("aws_kms_key", "key_main", "policy", "Events", _nothing), "the key takes no messages"),
    (_statement("aws_kms_key", "key_main", "policy", "Events", _unconditional), "the key takes messages of others"),
]  # fmt: skip


@pytest.mark.parametrize(("breaks", "found"), MISTAKES)
def test_each_mistake_is_found(stacks: Mapping[str, Any], breaks: Callable[[Resources], None], found: str) -> None:
    broken = json.loads(json.dumps(stacks["aws"]))
    assert [*schedules.refused(broken)] == []
    breaks(broken["resource"])
    problems = [*schedules.refused(broken)]
    assert any(found in each for each in problems), problems


def test_a_look_for_drift_reads_what_a_plan_does_and_no_data(stacks: Mapping[str, Any]) -> None:
    stack = stacks["aws"]
    documents = _documents(stack, RUNS)
    asked = [*requests(stack, "eu-west-1", WAREHOUSE)]
    assert len(asked) > 100
    assert [each for each in asked if not allowed(documents, each)] == []
    writes = {
        each
        for each in _actions(stack, RUNS)
        if not each.partition(":")[2].startswith(("Get", "List", "Describe", "BatchGet", "View", "Decrypt"))
    }
    assert writes == {"logs:CreateLogStream", "logs:PutLogEvents"}  # its own log
    assert allowed(documents, s3("GetObject", "example-terraform-state", "employees/aws.tfstate"))
    assert not allowed(documents, s3("PutObject", "example-terraform-state", "employees/aws.tfstate"))
    # `bucket` is what a reference to any of the stack's buckets becomes here.
    assert allowed(documents, s3("GetObject", "bucket", "glue-warehouse/people/employees/metadata/1.metadata.json"))
    for key in ("glue-warehouse/people/employees/data/1.parquet", "glue-warehouse/people/employees/metadata/1.avro"):
        assert not allowed(documents, s3("GetObject", "bucket", key))


def _changes(bucket: str) -> Iterator[tuple[Request, bool]]:
    """Requests, and whether maintenance needs them."""
    table = "glue-warehouse/people/employees"
    yield glue(GLUE, "GetTable", "people", "employees"), True
    yield glue(GLUE, "UpdateTable", "people", "employees"), True
    for action in ("CreateTable", "DeleteTable"):
        yield glue(GLUE, action, "people", "employees"), False
    for action in ("CreateDatabase", "DeleteDatabase", "UpdateDatabase"):
        yield glue(GLUE, action, "people"), False
    yield glue(GLUE, "UpdateTable", "of_others", "employees"), False
    for action in ("GetObject", "PutObject", "DeleteObject"):
        yield s3(action, bucket, f"{table}/data/1.parquet"), True
        yield s3(action, bucket, "lost+found"), False
        yield s3(action, bucket.replace("warehouse", "staging"), "key"), False
    yield s3("PutObject", SOURCES, "source.zip"), False
    yield s3("GetObject", "example-terraform-state", "employees/aws.tfstate"), False
    workgroup = f"arn:aws:athena:eu-west-1:{ACCOUNT}:workgroup/employees-aws"
    yield Request("athena:StartQueryExecution", (f"{workgroup}-operators",)), True
    yield Request("athena:StartQueryExecution", (f"{workgroup}-etl",)), False
    yield (
        Request("codebuild:StartBuild", (f"arn:aws:codebuild:eu-west-1:{ACCOUNT}:project/employees-aws-drift",)),
        False,
    )


def test_maintenance_writes_to_tables_and_makes_none(stacks: Mapping[str, Any]) -> None:
    documents = _documents(stacks["aws"], "schedule_runs_maintenance")
    assert [(each, may) for each, may in _changes(WAREHOUSE) if allowed(documents, each) is not may] == []


_METADATA = """
name: demo
buckets: {kept: {}}
catalogs:
  lake: {location: s3://kept/lake, namespaces: {sales: {tables: {orders: {columns: {id: long}}}}}}
stacks:
  told:
    region: eu-west-1
    store: s3
    catalogs: {lake: glue}
    metadata: {gms: "https://datahub.example.com", token: datahub.token}
    schedule: {metadata: "15 */6 * * *"}
  open:
    region: eu-west-1
    store: s3
    catalogs: {lake: glue}
    metadata: {gms: "https://datahub.example.com"}
    schedule: {metadata: "0 0 L * *"}
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("published")
    (folder / "lakehouse.yaml").write_text(_METADATA)
    return synthesise(folder, folder / "lakehouse.yaml")


def test_metadata_is_published_without_a_row_being_read(published: Mapping[str, Any]) -> None:
    for name, stack in published.items():
        assert [*schedules.refused(stack)] == []
        documents = _documents(stack, "schedule_runs_metadata")
        bucket = f"demo-{name}-kept-{ACCOUNT}-eu-west-1"
        assert allowed(documents, s3("GetObject", bucket, "lake/sales/orders/metadata/1.metadata.json"))
        assert not allowed(documents, s3("GetObject", bucket, "lake/sales/orders/data/1.parquet"))
        assert allowed(documents, glue(GLUE, "GetTable", "sales", "orders"))
        assert not allowed(documents, glue(GLUE, "UpdateTable", "sales", "orders"))


def test_the_token_is_put_by_a_person_and_in_no_state(published: Mapping[str, Any]) -> None:
    told, open_ = published["told"], published["open"]
    [secret] = told["resource"]["aws_secretsmanager_secret"].values()
    assert secret["name"] == "demo-told/datahub"
    assert "aws_secretsmanager_secret_version" not in told["resource"]
    [project] = told["resource"]["aws_codebuild_project"].values()
    given = {each["name"]: each for each in project["environment"]["environment_variable"]}
    assert given["LAKEHOUSE_DATAHUB_TOKEN"] == {
        "name": "LAKEHOUSE_DATAHUB_TOKEN",
        "value": "${aws_secretsmanager_secret.schedule_token.arn}",
        "type": "SECRETS_MANAGER",
    }
    assert "put-secret-value --secret-id" in told["output"]["put_token"]["value"]
    assert "aws_secretsmanager_secret" not in open_["resource"]
    assert "put_token" not in open_["output"]
    for each in ("secretsmanager:GetSecretValue", "kms:Decrypt"):
        broken = json.loads(json.dumps(told))
        _lacks("schedule_runs_metadata", each)(broken["resource"])
        assert any(f"its role may not {each}" in problem for problem in schedules.refused(broken))


def test_the_same_sources_have_the_same_digest_in_another_folder(stacks: Mapping[str, Any], tmp_path: Path) -> None:
    (tmp_path / FILE.name).write_text(FILE.read_text())
    other = synthesise(tmp_path, tmp_path / FILE.name)

    def digest(of: Mapping[str, Any]) -> str:
        return str(of["aws"]["resource"]["aws_s3_object"]["schedule_source"]["source_hash"])

    assert digest(other) == digest(stacks)
    (tmp_path / FILE.name).write_text(FILE.read_text() + "# changed\n")
    assert digest(synthesise(tmp_path, tmp_path / FILE.name)) != digest(stacks)
