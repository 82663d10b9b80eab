"""A job on EMR Serverless, against doubles whose requests and answers botocore's model checks."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.jobs import emr, emr_logs
from bootstrap.jobs.job import Job
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.spec import load
from tests.aws_double import AwsDouble, Caller, Objects, refusal
from tests.emr_double import APPLICATION, FAILED, JOB, RUNS, EmrDouble, LogsDouble
from tests.synth.synthesised import AWS

ETL = "employees-aws-etl-eu-west-1"


@pytest.fixture
def target() -> Target:
    return Target(AWS, load(AWS), "aws")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "daily.py").write_text("print(1)")
    (tmp_path / "helper.py").write_text("")
    return Job.read(tmp_path / "daily.py", [tmp_path / "helper.py"], ["--day", "a b"])


class Account:
    """An account with one job, whose looks cost no time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emr, self.logs, self.s3 = EmrDouble(), LogsDouble(), Objects()
        self.double = AwsDouble(monkeypatch, emr_serverless=self.emr, logs=self.logs, s3=self.s3, sts=Caller(role=ETL))
        self.out, self.log = io.StringIO(), io.StringIO()

    def run(self, target: Target, job: Job, principal: str | None = None) -> int:
        return emr.run(target, job, principal, self.out, self.log, wait=0)

    def sent(self) -> Mapping[str, Any]:
        [started] = self.double.called("emr-serverless", "StartJobRun")
        return started


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(emr_logs, "_LATE", 0.2)
    return Account(monkeypatch)


def test_a_job_is_uploaded_and_runs_as_its_principal(target: Target, job: Job, account: Account) -> None:
    account.logs.driver(["1"])
    assert account.run(target, job) == 0
    sent = account.sent()
    assert sent["applicationId"] == APPLICATION
    assert sent["executionRoleArn"] == f"arn:aws:iam::123456789012:role/{ETL}"
    assert sent["name"] == "daily"
    submit = sent["jobDriver"]["sparkSubmit"]
    assert submit["entryPointArguments"] == ["--day", "a b"]
    assert account.s3.kept[submit["entryPoint"]] == b"print(1)"
    assert account.s3.kept[submit["sparkSubmitParameters"].removeprefix("--py-files ")] == b""
    assert submit["entryPoint"].startswith("s3://employees-aws-query-results-123456789012-eu-west-1/etl/jobs/")


def test_its_output_and_log_are_followed_line_by_line(target: Target, job: Job, account: Account) -> None:
    def more(look: int) -> None:
        if look == 4:
            account.logs.driver(["one", "two", "three"], ["WARN first"])
        if look == len(account.emr.states):
            account.logs.driver(["four"], ["WARN last"])

    account.emr.looked = more
    assert account.run(target, job) == 0
    assert account.out.getvalue() == "one\ntwo\nthree\nfour\n"
    assert account.log.getvalue().splitlines() == [
        f"Job {JOB} of etl, in application {APPLICATION}.",
        "SUBMITTED",
        "PENDING",
        "SCHEDULED",
        "RUNNING",
        "WARN first",
        "SUCCESS",
        "WARN last",
    ]


@pytest.mark.parametrize(
    ("last", "details", "code"),
    [
        ("FAILED", FAILED, 7),
        ("FAILED", "Job failed. ExitCode: 256.", 1),
        ("FAILED", "The worker could not be started", 1),
        ("CANCELLED", "Cancelled by a user", 143),
    ],
)
def test_the_state_of_its_end_is_an_exit_code(
    target: Target, job: Job, account: Account, last: str, details: str, code: int
) -> None:
    account.emr.states, account.emr.details = (*RUNS, last), details
    assert account.run(target, job) == code
    assert details in account.log.getvalue()


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_cancels_the_job(
    target: Target, job: Job, account: Account, number: signal.Signals, ends: type[BaseException]
) -> None:
    account.emr.looked = lambda look: os.kill(os.getpid(), number) if look == 3 else None
    with pytest.raises(ends):
        account.run(target, job)
    assert account.double.called("emr-serverless", "CancelJobRun") == [{"applicationId": APPLICATION, "jobRunId": JOB}]
    assert f"Cancelled job {JOB}." in account.log.getvalue()


def test_a_job_that_is_not_cancelled_is_named_with_what_cancels_it(
    target: Target, job: Job, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: object) -> Mapping[str, Any]:
        raise refusal("CancelJobRun", "AccessDeniedException", "no")

    monkeypatch.setattr(account.emr, "cancel_job_run", denied)
    account.emr.looked = lambda look: os.kill(os.getpid(), signal.SIGINT) if look == 3 else None
    with pytest.raises(KeyboardInterrupt):
        account.run(target, job)
    cancels = f"aws emr-serverless cancel-job-run --application-id {APPLICATION} --job-run-id {JOB}"
    assert f"Job {JOB} was not cancelled, and may go on. This cancels it: {cancels}" in account.log.getvalue()


@pytest.mark.parametrize(
    ("caller", "given", "meant"),
    [(ETL, None, "etl"), (ETL, "bi", "bi"), ("", "bi", "bi"), ("another", "directory", "directory")],
)
def test_whose_job_it_is(
    target: Target, job: Job, account: Account, caller: str, given: str | None, meant: str
) -> None:
    account.double.services["sts"] = Caller(caller)
    account.emr.names = ("employees-aws-admin", f"employees-aws-{meant}")
    assert account.run(target, job, given) == 0
    assert account.sent()["executionRoleArn"].endswith(f":role/employees-aws-{meant}-eu-west-1")
    assert account.sent()["applicationId"] == "00application2"


@pytest.mark.parametrize(
    ("given", "stack", "said"),
    [
        (None, "aws", "has the role of a principal. Name one with --as: bi, directory, etl or admin"),
        ("me", "aws", '--as: "me" is no principal of aws-glue.yaml'),
        ("etl", "clusters", "stacks.clusters has its Spark on instances"),
    ],
)
def test_what_is_refused_before_anything_is_sent(
    target: Target, job: Job, account: Account, given: str | None, stack: str, said: str
) -> None:
    account.double.services["sts"] = Caller()
    with pytest.raises(UsageError, match=said):
        account.run(replace(target, stack=stack), job, given)
    assert {service for service, _, _ in account.double.calls} <= {"sts"}


def test_an_application_that_is_not_there_is_named(target: Target, job: Job, account: Account) -> None:
    account.emr.names = ("employees-other-etl",)
    with pytest.raises(LakehouseError, match=r"no EMR Serverless application employees-aws-etl in eu-west-1. `lake"):
        account.run(target, job)
    assert account.s3.kept == {}


def test_what_aws_refuses_is_one_line(
    target: Target, job: Job, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise refusal("StartJobRun", "AccessDeniedException", "me may not iam:PassRole")

    monkeypatch.setattr(account.emr, "start_job_run", refused)
    with pytest.raises(LakehouseError, match="AWS refuses the job: .*may not iam:PassRole"):
        account.run(target, job)
