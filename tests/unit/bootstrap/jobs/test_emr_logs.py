from __future__ import annotations

import io
from typing import Any

import pytest

from bootstrap.jobs import emr_logs
from bootstrap.jobs.emr_logs import JobLogs
from tests.aws_double import AwsDouble, refusal
from tests.emr_double import APPLICATION, GROUP, JOB, EmrDouble, LogsDouble


@pytest.fixture
def double() -> LogsDouble:
    return LogsDouble()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, double: LogsDouble) -> Any:
    import boto3

    AwsDouble(monkeypatch, logs=double)
    monkeypatch.setattr(emr_logs, "_LATE", 0.1)
    return boto3.client("logs", region_name="eu-west-1")


def of(client: Any, group: str = GROUP, prefix: str = "") -> JobLogs:
    settings = dict(EmrDouble(group=group).get_application(applicationId=APPLICATION)["application"])
    if prefix:
        settings["monitoringConfiguration"]["cloudWatchLoggingConfiguration"]["logStreamNamePrefix"] = prefix
    return JobLogs.of(settings, client, JOB)


def test_each_line_is_shown_once(client: Any, double: LogsDouble) -> None:
    logs, out, log = of(client), io.StringIO(), io.StringIO()
    assert not logs.show(out, log)
    double.driver(["1", "2", "3"], ["WARN"])
    assert logs.show(out, log)
    assert not logs.show(out, log)
    double.driver(["4"])
    logs.rest(out, log, 0)
    assert out.getvalue() == "1\n2\n3\n4\n"
    assert log.getvalue() == "WARN\n"


def test_other_jobs_and_executors_are_not_shown(client: Any, double: LogsDouble) -> None:
    double.streams[f"/applications/{APPLICATION}/jobs/other/SPARK_DRIVER/stdout"] = ["others'"]
    double.streams[f"/applications/{APPLICATION}/jobs/{JOB}/SPARK_EXECUTOR/1/stdout"] = ["an executor's"]
    out = io.StringIO()
    assert not of(client).show(out, out)


def test_a_log_that_may_not_be_read_is_named_once(
    client: Any, double: LogsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: object) -> None:
        raise refusal("DescribeLogStreams", "AccessDeniedException", "no")

    monkeypatch.setattr(double, "describe_log_streams", refused)
    logs, log = of(client), io.StringIO()
    logs.show(log, log)
    logs.show(log, log)
    assert log.getvalue().count(f"The log group {GROUP} cannot be read: ") == 1


@pytest.mark.parametrize(
    ("group", "said"), [(GROUP, f"Log group {GROUP}, streams "), ("", "Log group (none), streams ")]
)
def test_where_to_look_if_nothing_arrives(client: Any, group: str, said: str) -> None:
    log = io.StringIO()
    of(client, group).rest(log, log, 0)
    assert f"No line of its log has arrived. {said}" in log.getvalue()


def test_a_prefix_of_the_application_is_kept(client: Any, double: LogsDouble) -> None:
    double.streams[f"mine/applications/{APPLICATION}/jobs/{JOB}/SPARK_DRIVER/stdout"] = ["1"]
    out = io.StringIO()
    assert of(client, prefix="mine").show(out, out)
