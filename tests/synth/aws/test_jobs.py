"""What `lakehouse run` sends passes as a principal, in its own application, and in no other one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.synth.aws.attached import ACCOUNT, policies, resolved
from tests.synth.aws.simulator import Request, allowed, s3

OWN, OTHER = "00f0000000000000", "00f0000000000001"


@pytest.fixture(scope="module", params=["aws", "tables"])
def of_stack(request: pytest.FixtureRequest, stacks: Mapping[str, Any]) -> tuple[str, str, list[Any]]:
    """The stack, its region, and the policies of a principal."""
    stack: str = request.param
    found = [json.loads(resolved(each)) for each in policies(stacks[stack], "principal_bi")]
    return stack, {"aws": "eu-west-1", "tables": "us-east-1"}[stack], found


def test_a_job_is_uploaded_and_read(of_stack: tuple[str, str, list[Any]]) -> None:
    stack, region, documents = of_stack
    bucket = f"employees-{stack}-query-results-{ACCOUNT}-{region}"
    for action in ("GetObject", "PutObject"):
        assert allowed(documents, s3(action, bucket, "bi/jobs/1/job.py"))
        assert not allowed(documents, s3(action, bucket, "etl/jobs/1/job.py"))
    context = {
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
        "kms:ViaService": f"s3.{region}.amazonaws.com",
    }
    resources = [each for document in documents for one in document["Statement"] for each in one["Resource"]]
    [key] = {each for each in resources if ":kms:" in each}
    for action in ("Decrypt", "GenerateDataKey"):
        assert allowed(documents, Request(f"kms:{action}", (key,), context))


def test_a_job_is_started_and_followed_in_ones_own_application(of_stack: tuple[str, str, list[Any]]) -> None:
    stack, region, documents = of_stack
    assert allowed(documents, Request("emr-serverless:ListApplications", ("*",)))
    where = f"arn:aws:emr-serverless:eu-west-1:{ACCOUNT}:/applications"
    for application, may in ((OWN, True), (OTHER, False)):
        for action in ("GetApplication", "StartJobRun", "ListJobRuns"):
            assert allowed(documents, Request(f"emr-serverless:{action}", (f"{where}/{application}",))) is may
        for action in ("GetJobRun", "CancelJobRun"):
            assert allowed(documents, Request(f"emr-serverless:{action}", (f"{where}/{application}/jobruns/1",))) is may
        group = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:/employees-{stack}/engines"
        stream = f"{group}:log-stream:/applications/{application}/jobs/1/SPARK_DRIVER/stdout"
        assert allowed(documents, Request("logs:GetLogEvents", (stream,))) is may
        assert allowed(documents, Request("logs:DescribeLogStreams", (f"{group}:*",)))
