"""A job on EMR Serverless, in the application of a principal and with its role.

https://docs.aws.amazon.com/emr-serverless/latest/APIReference/API_StartJobRun.html
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

from bootstrap.jobs.emr_logs import JobLogs
from bootstrap.jobs.job import Job
from bootstrap.session import aws
from bootstrap.session.aws import AwsCaller
from bootstrap.session.interrupts import briefly, ending, undisturbed
from bootstrap.session.target import Target
from lakehouse.access.names import Names
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import AwsStack
from lakehouse.spec.aws import RESULTS
from lakehouse.text.words import listed

_WAIT = 3.0  # seconds between two looks at the job
_CANCELLED = 143  # as a local job whose process got SIGTERM
ENDED = ("SUCCESS", "FAILED", "CANCELLED")
# What EMR says of a job whose program ended with another code than 0.
_CODE = re.compile(r"ExitCode: (\d+)")


@dataclass(frozen=True)
class EmrApplication:
    """The application of a principal in a stack."""

    principal: str
    stack: str
    own: Names

    @classmethod
    def of(cls, target: Target, principal: str | None) -> EmrApplication:
        """Raises UsageError if the stack has no Spark of this kind, or if it is unclear whose job it is."""
        caller = _caller(target)
        return cls(_meant(target, principal, caller.principal), target.stack, caller.own)

    @classmethod
    def all(cls, target: Target) -> list[EmrApplication]:
        """That of the caller's principal, or all if the caller has the role of none."""
        caller = _caller(target)
        each = [caller.principal] if caller.principal else list(target.lakehouse.access.principals)
        return [cls(principal, target.stack, caller.own) for principal in each]

    def client(self, service: str) -> Any:
        return aws.client(service, self.own.region)

    @cached_property
    def emr(self) -> Any:
        return self.client("emr-serverless")

    @cached_property
    def id(self) -> str:
        """Raises LakehouseError if there is none of that name."""
        name = self.own.workgroup(self.principal)
        if name in (there := aws.applications(self.emr)):
            return str(there[name]["id"])
        raise LakehouseError(
            f"there is no EMR Serverless application {name} in {self.own.region}. "
            f"`lakehouse --stack {self.stack} deploy` creates it"
        )

    @property
    def role(self) -> str:
        """ARN of the principal's role."""
        return self.own.arn("iam", f"role/{self.own.role(self.principal)}", region=False)


def run(target: Target, job: Job, principal: str | None, out: IO[str], log: IO[str], *, wait: float = _WAIT) -> int:
    """Runs the job to its end and returns its exit code. What it prints goes to ``out``, everything else to ``log``.

    Whatever ends this command early, cancels the job. Raises UsageError if it is unclear whose job it is,
    LakehouseError if AWS refuses something.
    """
    with aws.plainly(f"stacks.{target.stack} is in AWS", "the job", target.region):
        application = EmrApplication.of(target, principal)
        with ending(out):
            started = _start(application, job)
            print(f"Job {started} of {application.principal}, in application {application.id}.", file=log, flush=True)
            try:
                return _follow(application, started, out, log, wait)
            except BaseException:
                with undisturbed():
                    _cancel(application, started, log)
                raise


def _start(application: EmrApplication, job: Job) -> str:
    """The id of the job. EMR starts the application, and a job waits if it is full."""
    at = application.id  # nothing is uploaded if there is none
    main, *modules = _upload(application, job)
    submit: dict[str, Any] = {"entryPoint": main, "entryPointArguments": list(job.arguments)}
    if modules:
        submit["sparkSubmitParameters"] = f"--py-files {','.join(modules)}"
    started = application.emr.start_job_run(
        applicationId=at,
        clientToken=uuid.uuid4().hex,
        executionRoleArn=application.role,
        name=job.name,
        jobDriver={"sparkSubmit": submit},
    )
    return str(started["jobRunId"])


def _upload(application: EmrApplication, job: Job) -> list[str]:
    """Where the job's files are. They are deleted with the results of queries, after a week."""
    s3, bucket = application.client("s3"), application.own.bucket(RESULTS)
    folder = f"{application.principal}/jobs/{uuid.uuid4().hex}"
    for name, content in job.files:
        s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=content)
    return [f"s3://{bucket}/{folder}/{name}" for name, _ in job.files]


def _follow(application: EmrApplication, started: str, out: IO[str], log: IO[str], wait: float) -> int:
    settings = application.emr.get_application(applicationId=application.id)["application"]
    logs = JobLogs.of(settings, application.client("logs"), started)
    state = ""
    while True:
        found = application.emr.get_job_run(applicationId=application.id, jobRunId=started)["jobRun"]
        if found["state"] != state:
            state = found["state"]
            print(state, file=log, flush=True)
        logs.show(out, log)
        if state in ENDED:
            logs.rest(out, log, wait)
            return _code(found, log)
        time.sleep(wait)


def _code(job: Mapping[str, Any], log: IO[str]) -> int:
    if job["state"] == "SUCCESS":
        return 0
    details = str(job["stateDetails"]).strip()
    if details:
        print(details, file=log, flush=True)
    if job["state"] == "CANCELLED":
        return _CANCELLED
    said = _CODE.search(details)
    return (int(said[1]) & 255 or 1) if said else 1


def _cancel(application: EmrApplication, started: str, log: IO[str]) -> None:
    answers: list[Mapping[str, Any]] = []
    arguments = {"applicationId": application.id, "jobRunId": started}
    briefly(lambda: answers.append(application.emr.cancel_job_run(**arguments)))
    if answers:
        print(f"Cancelled job {started}.", file=log, flush=True)
        return
    again = f"aws emr-serverless cancel-job-run --application-id {application.id} --job-run-id {started}"
    print(f"Job {started} was not cancelled, and may go on. This cancels it: {again}", file=log, flush=True)


def _caller(target: Target) -> AwsCaller:
    """Whose credentials the shell has. Raises UsageError if the stack has no Spark."""
    there = target.lakehouse.stacks[target.stack]
    assert isinstance(there, AwsStack)
    if target.lakehouse.engines.spark is None:
        raise UsageError(f"{target.path.name} has no engines.spark: add it to the file and deploy the stack again.")
    if there.engines != "managed":
        raise UsageError(
            f"stacks.{target.stack} has its Spark on instances (engines: {there.engines}), to which nothing is "
            "submitted from here. Use engines: managed, or spark-submit on an instance."
        )
    return aws.caller(target.lakehouse, target.stack)


def _meant(target: Target, given: str | None, caller: str) -> str:
    """The principal whose job it is: the one that is named, the caller, or the only one."""
    known = list(target.lakehouse.access.principals)
    if given is not None:
        if given not in known:
            raise UsageError(f'--as: "{given}" is no principal of {target.path.name}; it has: {listed(known)}.')
        return given
    if caller:
        return caller
    if len(known) == 1:
        return known[0]
    if not known:
        raise UsageError(f"{target.path.name} has no principals, and a job in AWS has the role of one: add `access`.")
    raise UsageError(f"a job in AWS has the role of a principal. Name one with --as: {listed(known)}.")
