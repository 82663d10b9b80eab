"""The tasks of a schedule in AWS: EventBridge Scheduler starts a build of CodeBuild for each.

A build is a machine for minutes with the toolkit's sources and one role, which may do what its task does and no more.
What does not start is kept in a queue, what fails is an event: both are told to the addresses of the alarms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from lakehouse.access.iam import through_s3
from lakehouse.access.names import Names
from lakehouse.access.packed import Statement
from lakehouse.access.policy import PolicyStatement
from lakehouse.aws import builds
from lakehouse.aws.iam import role, service_trust
from lakehouse.aws.observe import Observe
from lakehouse.aws.sources import NAME
from lakehouse.cdk import Construct, Declared, resource
from lakehouse.spec.aws import SOURCES
from lakehouse.spec.eventbridge import expression
from lakehouse.spec.metadata import TOKEN
from lakehouse.spec.schedule import Schedule

#: The log group of builds.
LOGS = "schedule"
IMAGE = "aws/codebuild/standard:7.0"  # has Pythons, make and curl
MINUTES = 120  # a build that takes longer is ended
_QUEUED = 30  # minutes in which a build finds a machine
_RETRIES, _SECONDS = 20, 3600  # of a start: so long a task that still runs keeps the next one waiting
_KEPT = 86_400  # seconds that a start which failed is kept, and its alarm on


class ScheduledBuilds(Construct):
    """A build for each task, its schedule, its role, and who is told.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        names: Names,
        schedule: Schedule,
        may: Mapping[str, Sequence[Statement]],
        bucket: Declared,
        digest: str,
        file: str,
        key: str,
        observe: Observe,
        token: bool,
    ) -> None:
        """``may`` are the permissions of each task. ``bucket`` gets the sources, whose digest is ``digest``.

        ``token``: the build that publishes metadata gets a token of DataHub from Secrets Manager.
        """
        super().__init__(scope, name)
        self._names, self._key, self._observe = names, key, observe
        self._source = resource(
            self,
            "source",
            "aws_s3_object",
            bucket=bucket.ref("id"),
            key=NAME,
            source=NAME,
            source_hash=digest,
            kms_key_id=key,
            bucket_key_enabled=True,
        )
        self.token = self._secret() if token and "metadata" in schedule.times else None
        projects = {task: self._project(task, bucket, file, may[task]) for task in schedule.times}
        self._start(schedule, projects)
        self._tell([names.workgroup(task) for task in projects])

    def _secret(self) -> Declared:
        """A secret without a value: a person puts it there, so it is in no state and no plan."""
        return resource(
            self,
            "token",
            "aws_secretsmanager_secret",
            name=f"{self._names.prefix}/datahub",
            description="The token with which builds publish metadata to DataHub",
            kms_key_id=self._key,
            recovery_window_in_days=0,
            accepted={"CKV2_AWS_57": "DataHub makes it; who renews it there puts it here"},
        )

    def _project(self, task: str, bucket: Declared, file: str, may: Sequence[Statement]) -> Declared:
        names, secret = self._names, self.token if task == "metadata" else None
        called = names.workgroup(task)
        runs = role(
            self,
            f"runs_{task}",
            names=names,
            called=f"runs-{task}",
            description=f"Builds of the task {task}",
            trust=[service_trust(names, "codebuild", names.arn("codebuild", f"project/{called}"))],
            may=[*may, *self._of_builds(), *(self._of_token(secret) if secret else ())],
        )
        given = [{"name": each, "value": value} for each, value in builds.variables(names.stack, names.account).items()]
        if secret:
            given.append({"name": TOKEN, "value": secret.ref("arn"), "type": "SECRETS_MANAGER"})
        return resource(
            self,
            task,
            "aws_codebuild_project",
            name=called,
            description=f"{task} of {names.prefix}, at the times of its schedule",
            service_role=runs.ref("arn"),
            build_timeout=MINUTES,
            queued_timeout=_QUEUED,
            concurrent_build_limit=1,  # a task never runs twice at once
            encryption_key=self._key,
            artifacts={"type": "NO_ARTIFACTS"},
            source={
                "type": "S3",
                "location": f"{bucket.ref('id')}/{NAME}",
                "buildspec": builds.buildspec(task, file),
            },
            source_version=self._source.ref("version_id"),  # what was deployed, whatever is put there later
            environment={
                "type": "LINUX_CONTAINER",
                "image": IMAGE,
                "compute_type": "BUILD_GENERAL1_MEDIUM",
                "image_pull_credentials_type": "CODEBUILD",
                "privileged_mode": False,
                "environment_variable": given,
            },
            logs_config={
                "cloudwatch_logs": {
                    "status": "ENABLED",
                    "group_name": self._observe.groups[LOGS].ref("name"),
                    "stream_name": task,
                }
            },
        )

    def _of_builds(self) -> list[PolicyStatement]:
        """What every build needs: its sources and its log.

        https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
        """
        names, bucket = self._names, self._names.s3(SOURCES)
        logs = ("logs:CreateLogStream", "logs:PutLogEvents")
        return [
            PolicyStatement("Source", ("s3:GetObject", "s3:GetObjectVersion"), (names.s3(SOURCES, NAME),)),
            PolicyStatement("SourceWhere", ("s3:GetBucketAcl", "s3:GetBucketLocation"), (bucket,)),
            PolicyStatement("SourceKey", ("kms:Decrypt",), (self._key,), through_s3(names, [bucket])),
            PolicyStatement("BuildLogs", logs, (f"{self._observe.groups[LOGS].ref('arn')}:*",)),
        ]

    def _of_token(self, secret: Declared) -> list[PolicyStatement]:
        via = {"StringEquals": {"kms:ViaService": f"secretsmanager.{self._names.region}.amazonaws.com"}}
        return [
            PolicyStatement("Token", ("secretsmanager:GetSecretValue",), (secret.ref("arn"),)),
            PolicyStatement("TokenKey", ("kms:Decrypt",), (self._key,), via),
        ]

    def _start(self, schedule: Schedule, projects: Mapping[str, Declared]) -> None:
        names = self._names
        failed = resource(
            self,
            "failed",
            "aws_sqs_queue",
            name=f"{names.prefix}-starts-failed",
            message_retention_seconds=_KEPT,
            sqs_managed_sse_enabled=True,  # the messages only name a build
        )
        group = resource(self, "group", "aws_scheduler_schedule_group", name=names.prefix)
        starts = role(
            self,
            "starts",
            names=names,
            called="starts-tasks",
            description="Starts the builds of the schedule",
            # AWS asks for the group: https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
            trust=[service_trust(names, "scheduler", names.arn("scheduler", f"schedule-group/{names.prefix}"))],
            may=[
                PolicyStatement(
                    "Starts", ("codebuild:StartBuild",), tuple(each.ref("arn") for each in projects.values())
                ),
                PolicyStatement("Failed", ("sqs:SendMessage",), (failed.ref("arn"),)),
            ],
        )
        for task, project in projects.items():
            resource(
                self,
                f"{task}_at",
                "aws_scheduler_schedule",
                name=task,
                group_name=group.ref("name"),
                description=f"{task}: {schedule.times[task]}",
                schedule_expression=expression(schedule.times[task]),
                schedule_expression_timezone=schedule.time_zone,
                accepted={
                    "CKV_AWS_297": "it only names a build; with the stack's key its role would have to open that"
                },
                flexible_time_window={"mode": "OFF"},
                target={
                    "arn": project.ref("arn"),
                    "role_arn": starts.ref("arn"),
                    "retry_policy": {"maximum_retry_attempts": _RETRIES, "maximum_event_age_in_seconds": _SECONDS},
                    "dead_letter_config": {"arn": failed.ref("arn")},
                },
            )
        self._observe.alarm(
            "start-failed",
            "A task of the schedule did not start: the queue says which, and why",
            namespace="AWS/SQS",
            metric="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": failed.ref("name")},
        )

    def _tell(self, projects: Sequence[str]) -> None:
        """Tell of each build that did not succeed, also of drift, which ends one with 2. Who stops one knows it."""
        called = failures(self._names)
        rule = resource(
            self,
            "failures",
            "aws_cloudwatch_event_rule",
            name=called,
            description="Builds of the schedule that failed",
            event_pattern=json.dumps(
                {
                    "source": ["aws.codebuild"],
                    "detail-type": ["CodeBuild Build State Change"],
                    "detail": {
                        "project-name": list(projects),
                        "build-status": [{"anything-but": ["IN_PROGRESS", "SUCCEEDED", "STOPPED"]}],
                    },
                }
            ),
        )
        resource(
            self,
            "failures_to_alerts",
            "aws_cloudwatch_event_target",
            rule=rule.ref("name"),
            target_id="alerts",
            arn=self._observe.topic.ref("arn"),
            input_transformer={
                "input_paths": {
                    "project": "$.detail.project-name",
                    "status": "$.detail.build-status",
                    "log": "$.detail.additional-information.logs.deep-link",
                },
                "input_template": json.dumps("<project> ended with <status>. Its log: <log>"),
            },
        )
        self._observe.alarm(
            "failures-untold",
            "EventBridge could not send a message about a build that failed",
            namespace="AWS/Events",
            metric="FailedInvocations",
            dimensions={"RuleName": called},
        )


def failures(names: Names) -> str:
    """The name of the rule for builds that failed."""
    return f"{names.prefix}-task-failed"


def failures_arn(names: Names) -> str:
    """ARN of that rule, for the policies of the topic and of the key."""
    return names.arn("events", f"rule/{failures(names)}")
