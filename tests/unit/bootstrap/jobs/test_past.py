from __future__ import annotations

import io
from typing import Any

import pytest

from bootstrap.jobs import emr_logs, past
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.spec import load
from tests.aws_double import AwsDouble, Caller
from tests.emr_double import RUNS, EmrDouble, LogsDouble
from tests.synth.synthesised import AWS


@pytest.fixture
def emr() -> EmrDouble:
    return EmrDouble()


@pytest.fixture
def logs() -> LogsDouble:
    return LogsDouble()


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, emr: EmrDouble, logs: LogsDouble) -> Target:
    monkeypatch.setattr(emr_logs, "_LATE", 0.1)
    AwsDouble(monkeypatch, emr_serverless=emr, logs=logs, sts=Caller("employees-aws-etl-eu-west-1"))
    return Target(AWS, load(AWS), "aws")


def test_the_log_of_the_latest_job_or_of_a_named_one(target: Target, emr: EmrDouble, logs: LogsDouble) -> None:
    emr.past = {"00first": "SUCCESS", "00job1": "FAILED"}
    logs.driver(["the latest"])
    logs.streams["/applications/00application1/jobs/00first/SPARK_DRIVER/stdout"] = ["the first"]
    log = io.StringIO()
    for job, said in ((None, "the latest\n"), ("00job1", "the latest\n"), ("00first", "the first\n")):
        out = io.StringIO()
        past.show(target, job, out, log, follow=False, wait=0)
        assert out.getvalue() == said
    assert "Job 00first (daily) of etl: SUCCESS." in log.getvalue()


def test_a_job_that_runs_is_followed_to_its_end(target: Target, emr: EmrDouble, logs: LogsDouble) -> None:
    emr.past = {"00job1": "RUNNING"}
    emr.states = (*RUNS, "SUCCESS")
    emr.looked = lambda look: logs.driver([f"line {look}"])
    out = io.StringIO()
    past.show(target, None, out, io.StringIO(), follow=True, wait=0)
    assert out.getvalue().splitlines() == [f"line {n}" for n in range(1, 7)]


@pytest.mark.parametrize(("job", "said"), [(None, "has run no job yet"), ("00other", "knows no job 00other")])
def test_a_job_that_is_not_there(target: Target, job: str | None, said: str) -> None:
    with pytest.raises(LakehouseError, match=f"stacks.aws {said}"):
        past.show(target, job, io.StringIO(), io.StringIO(), follow=False)


def test_lines_that_arrive_after_the_end_of_a_followed_job_are_shown(
    target: Target, emr: EmrDouble, logs: LogsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    emr.past = {"00job1": "RUNNING"}
    emr.states = ("RUNNING", "SUCCESS")
    shown = emr_logs.JobLogs.rest

    def late(self: emr_logs.JobLogs, *given: Any) -> None:
        logs.driver(["the last line"])
        shown(self, *given)

    monkeypatch.setattr(emr_logs.JobLogs, "rest", late)
    out = io.StringIO()
    past.show(target, None, out, io.StringIO(), follow=True, wait=0)
    assert out.getvalue() == "the last line\n"
