"""EventBridge Scheduler, CodeBuild, and who is told: what a schedule needs to start, to run and to be heard of.

Requests are compared with botocore's models. What must be allowed is decided by the stack's own policies:
https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html (role, trust, queue),
https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html (source, logs),
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html (topic), and
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html (the topic's key).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from tests.synth.aws.attached import ACCOUNT, policies
from tests.synth.aws.modelled import wrong
from tests.synth.aws.simulator import Request, allowed, holds

_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
_CRON = re.compile(r"cron\(\S+ \S+ (\S+) \S+ (\S+) \*\)")


def refused(stack: Mapping[str, Any]) -> Iterator[str]:
    """Schedules that start nothing, builds that cannot run, and failures of which nobody hears."""
    of = stack["resource"]
    for name, block in of.get("aws_scheduler_schedule", {}).items():
        yield from (f"aws_scheduler_schedule.{name}: {each}" for each in _schedule(_Stack(stack), block))
    for name, block in of.get("aws_codebuild_project", {}).items():
        yield from (f"aws_codebuild_project.{name}: {each}" for each in _project(_Stack(stack), block))
    for name, block in of.get("aws_sqs_queue", {}).items():
        if not (block.get("sqs_managed_sse_enabled") or block.get("kms_master_key_id")):
            yield f"aws_sqs_queue.{name}: its messages are not encrypted"


class _Stack:
    """A stack whose resources have ARNs of their own, as after a deploy."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self.stack, self.of = stack, stack["resource"]
        [provider] = stack["provider"]["aws"]
        self.region = provider["region"]
        at = f"{self.region}:{ACCOUNT}"
        self.values = {
            "data.aws_caller_identity": ACCOUNT,
            "aws_kms_key": _KEY,
            **self._arns("aws_codebuild_project", f"arn:aws:codebuild:{at}:project/"),
            **self._arns("aws_sqs_queue", f"arn:aws:sqs:{at}:"),
            **self._arns("aws_cloudwatch_log_group", f"arn:aws:logs:{at}:log-group:"),
            **self._arns("aws_sns_topic", f"arn:aws:sns:{at}:"),
            **self._arns("aws_secretsmanager_secret", f"arn:aws:secretsmanager:{at}:secret:"),
            **{f"aws_s3_bucket.{k}.": f"arn:aws:s3:::{self.text(v['bucket'])}" for k, v in self._all("aws_s3_bucket")},
        }

    def _all(self, type: str) -> list[tuple[str, Any]]:
        return list(self.of.get(type, {}).items())

    def _arns(self, type: str, start: str) -> dict[str, str]:
        return {f"{type}.{name}.": f"{start}{each['name']}" for name, each in self._all(type)}

    def text(self, value: str) -> str:
        """The text as after a deploy; an expression that is not known stays."""
        known = getattr(self, "values", {"data.aws_caller_identity": ACCOUNT})

        def found(match: re.Match[str]) -> str:
            return next((arn for start, arn in known.items() if match[1].startswith(start)), match[0])

        return re.sub(r"\$\{([^}]+)\}", found, value)

    def named(self, type: str, reference: str) -> tuple[str, Any] | None:
        """The resource that an expression refers to."""
        match = re.match(rf"\$\{{{type}\.(\w+)\.", reference)
        return (match[1], self.of[type][match[1]]) if match and match[1] in self.of.get(type, {}) else None

    def may(self, role: str, action: str, resource: str, **context: str) -> bool:
        documents = [json.loads(self.text(each)) for each in policies(self.stack, role)]
        known = {
            "sourceaccount": "aws:SourceAccount",
            "via": "kms:ViaService",
            "about": "kms:EncryptionContext:aws:s3:arn",
        }
        return allowed(documents, Request(action, (resource,), {known[key]: value for key, value in context.items()}))


def _trusted(stack: _Stack, role: Any, service: str, source: str) -> Iterator[str]:
    """Whether only this service of the account takes the role, and only for ``source`` (ARN)."""
    statements = json.loads(stack.text(role["assume_role_policy"]))["Statement"]

    def takes(account: str, arn: str) -> bool:
        context = {"aws:SourceAccount": account, "aws:SourceArn": arn}
        return any(
            each["Principal"] == {"Service": f"{service}.amazonaws.com"} and holds(each.get("Condition", {}), context)
            for each in statements
        )

    if not takes(ACCOUNT, source):
        yield f"{service} cannot take its role for {source}"
    if takes("999999999999", source) or takes(ACCOUNT, f"{source}-of-others"):
        yield f"{service} takes its role for others than {source}"


def _schedule(stack: _Stack, block: Mapping[str, Any]) -> Iterator[str]:
    target = block["target"]
    policy = target.get("retry_policy", {})
    queue = stack.named("aws_sqs_queue", target.get("dead_letter_config", {}).get("arn", ""))
    project = stack.named("aws_codebuild_project", target["arn"])
    role = stack.named("aws_iam_role", target["role_arn"])
    group = stack.named("aws_scheduler_schedule_group", block.get("group_name", ""))
    if queue is None or project is None or role is None or group is None:
        parts = {"queue for failed starts": queue, "build": project, "role": role, "group": group}
        yield from (f"no {what}" for what, each in parts.items() if each is None)
        return
    arns = [
        stack.text(f"${{aws_codebuild_project.{project[0]}.arn}}"),
        stack.text(f"${{aws_sqs_queue.{queue[0]}.arn}}"),
    ]
    yield from wrong(
        "scheduler",
        "CreateSchedule",
        {
            "Name": block["name"],
            "GroupName": group[1]["name"],
            "ScheduleExpression": block["schedule_expression"],
            "ScheduleExpressionTimezone": block["schedule_expression_timezone"],
            "Description": block["description"],
            "FlexibleTimeWindow": {"Mode": block["flexible_time_window"]["mode"]},
            "Target": {
                "Arn": arns[0],
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role[1]['name']}",
                "DeadLetterConfig": {"Arn": arns[1]},
                "RetryPolicy": {
                    "MaximumRetryAttempts": policy.get("maximum_retry_attempts"),
                    "MaximumEventAgeInSeconds": policy.get("maximum_event_age_in_seconds"),
                },
            },
        },
    )
    fields = _CRON.fullmatch(block["schedule_expression"])
    if fields is None or [fields[1], fields[2]].count("?") != 1:
        yield f"{block['schedule_expression']} is not a time of AWS's cron"
    if block["schedule_expression_timezone"] not in available_timezones():
        yield f"{block['schedule_expression_timezone']} is not a time zone"
    if block["flexible_time_window"]["mode"] != "OFF":
        yield "it starts at another time than the file says"
    for action, arn in (("codebuild:StartBuild", arns[0]), ("sqs:SendMessage", arns[1])):
        if not stack.may(role[0], action, arn):
            yield f"its role may not {action}"
        if stack.may(role[0], action, f"{arn}-of-others"):
            yield f"its role may {action} of others"
    yield from _trusted(
        stack, role[1], "scheduler", f"arn:aws:scheduler:{stack.region}:{ACCOUNT}:schedule-group/{group[1]['name']}"
    )
    if not _watched(stack, "AWS/SQS", f"${{aws_sqs_queue.{queue[0]}.name}}"):
        yield "nobody hears of a start that failed"


def _watched(stack: _Stack, namespace: str, what: str) -> bool:
    alarms = stack.of["aws_cloudwatch_metric_alarm"].values()
    return any(
        each["namespace"] == namespace and what in each["dimensions"].values() and each["alarm_actions"]
        for each in alarms
    )


def _project(stack: _Stack, block: Mapping[str, Any]) -> Iterator[str]:
    source, environment = block["source"], block["environment"]
    logs = block["logs_config"]["cloudwatch_logs"]
    role = stack.named("aws_iam_role", block["service_role"])
    group = stack.named("aws_cloudwatch_log_group", logs["group_name"])
    bucket = stack.named("aws_s3_bucket", source["location"])
    if role is None or group is None or bucket is None:
        yield from (
            f"no {what}" for what, each in {"role": role, "log": group, "source": bucket}.items() if each is None
        )
        return
    variables = environment["environment_variable"]
    yield from wrong(
        "codebuild",
        "CreateProject",
        {
            "name": block["name"],
            "description": block["description"],
            "serviceRole": f"arn:aws:iam::{ACCOUNT}:role/{role[1]['name']}",
            "timeoutInMinutes": block["build_timeout"],
            "queuedTimeoutInMinutes": block["queued_timeout"],
            "concurrentBuildLimit": block.get("concurrent_build_limit", 60),
            "encryptionKey": stack.text(block["encryption_key"]),
            "artifacts": {"type": block["artifacts"]["type"]},
            "source": {"type": source["type"], "location": source["location"], "buildspec": source["buildspec"]},
            "environment": {
                "type": environment["type"],
                "image": environment["image"],
                "computeType": environment["compute_type"],
                "environmentVariables": [
                    {"name": each["name"], "value": each["value"], "type": each.get("type", "PLAINTEXT")}
                    for each in variables
                ],
            },
        },
    )
    if block.get("concurrent_build_limit") != 1:
        yield "a task may run twice at once"
    if environment.get("privileged_mode"):
        yield "it has the rights of the machine"
    if "${aws_s3_object." not in block.get("source_version", ""):
        yield "it runs what somebody puts there"
    if not group[1].get("kms_key_id") or logs["status"] != "ENABLED":
        yield "its log is not kept, or not encrypted"
    yield from _trusted(
        stack, role[1], "codebuild", f"arn:aws:codebuild:{stack.region}:{ACCOUNT}:project/{block['name']}"
    )
    yield from _needs(stack, role[0], bucket[1], group[0], source["location"].rpartition("/")[2], variables)
    yield from _told(stack, block["name"])


def _needs(
    stack: _Stack, role: str, bucket: Any, group: str, key: str, variables: list[Mapping[str, str]]
) -> Iterator[str]:
    """What CodeBuild does with the role before the first command."""
    arn = f"arn:aws:s3:::{stack.text(bucket['bucket'])}"
    via = {"via": f"s3.{stack.region}.amazonaws.com", "about": arn}
    log = stack.text(f"${{aws_cloudwatch_log_group.{group}.arn}}")
    wanted: list[tuple[str, str, dict[str, str]]] = [
        ("s3:GetObject", f"{arn}/{key}", {}),
        ("s3:GetObjectVersion", f"{arn}/{key}", {}),
    ]
    wanted += [("s3:GetBucketLocation", arn, {}), ("kms:Decrypt", _KEY, via)]
    wanted += [(action, f"{log}:log-stream:a/b", {}) for action in ("logs:CreateLogStream", "logs:PutLogEvents")]
    for each in variables:
        if each.get("type") == "SECRETS_MANAGER":
            wanted.append(("secretsmanager:GetSecretValue", stack.text(each["value"]), {}))
            wanted.append(("kms:Decrypt", _KEY, {"via": f"secretsmanager.{stack.region}.amazonaws.com"}))
    yield from (
        f"its role may not {action} {on}"
        for action, on, context in wanted
        if not stack.may(role, action, on, **context)
    )
    if stack.may(role, "s3:PutObject", f"{arn}/{key}"):
        yield "its role may change what it runs"


def _told(stack: _Stack, project: str) -> Iterator[str]:
    """Whether a failure of the build gets to the topic of alarms."""
    from moto.events.models import EventPattern

    told = False
    for name, rule in stack.of.get("aws_cloudwatch_event_rule", {}).items():
        pattern = EventPattern.load(rule["event_pattern"])

        def heard(status: str, pattern: Any = pattern) -> bool:
            detail = {"build-status": status, "project-name": project}
            event = {"source": "aws.codebuild", "detail-type": "CodeBuild Build State Change", "detail": detail}
            return bool(pattern.matches_event(event))

        if [heard(each) for each in ("FAILED", "FAULT", "TIMED_OUT", "SUCCEEDED", "IN_PROGRESS")] != [True] * 3 + [
            False
        ] * 2:
            continue
        if not _watched(stack, "AWS/Events", rule["name"]):
            yield "nobody hears that a message was not sent"
        for target in stack.of.get("aws_cloudwatch_event_target", {}).values():
            topic = stack.named("aws_sns_topic", target["arn"])
            if target["rule"] == f"${{aws_cloudwatch_event_rule.{name}.name}}" and topic and "role_arn" not in target:
                told = True
                yield from _published(stack, topic, f"arn:aws:events:{stack.region}:{ACCOUNT}:rule/{rule['name']}")
    if not told:
        yield "nobody hears of a build that failed"


def _published(stack: _Stack, topic: tuple[str, Any], rule: str) -> Iterator[str]:
    [policy] = stack.of["aws_sns_topic_policy"].values()
    [key] = stack.of["aws_kms_key"].values()
    for what, text, action in (("topic", policy, "sns:Publish"), ("key", key, "kms:GenerateDataKey")):
        for arn, expected in ((rule, True), (f"{rule}-of-others", False)):
            may = any(
                "events.amazonaws.com" in _many(each["Principal"].get("Service", []))
                and action in _many(each["Action"])
                and holds(each.get("Condition", {}), {"aws:SourceArn": arn})
                for each in json.loads(stack.text(text["policy"]))["Statement"]
            )
            if may is not expected:
                yield f"the {what} takes {'no messages' if expected else 'messages of others'} from EventBridge"


def _many(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
