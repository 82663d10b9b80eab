"""Applications are stopped before they are changed, on moto's account, which refuses as AWS does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from bootstrap.operations import applications
from bootstrap.operations.applications import main, stop
from bootstrap.session import aws
from lakehouse.aws.applications import DEPLOYED
from lakehouse.errors import LakehouseError

REGION = "eu-west-1"
BI, ETL = "demo-aws-bi", "demo-aws-etl"
BEFORE = {BI: "1", ETL: "1"}
ROLE = "arn:aws:iam::123456789012:role/demo"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    for key in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr("moto.emrserverless.models.JOB_STATUS", "RUNNING")  # it ends jobs at once
    with mock_aws():
        yield


@pytest.fixture
def emr() -> Any:
    return boto3.client("emr-serverless", region_name=REGION)


@pytest.fixture
def ids(emr: Any) -> dict[str, str]:
    """Two applications of the stack and one of others, all started, each with a job that ended."""
    found = {}
    for name in (BI, ETL, "of-others"):
        made = emr.create_application(name=name, releaseLabel="emr-7.10.0", type="SPARK", clientToken=name)
        found[name] = made["applicationId"]
        emr.start_application(applicationId=found[name])
        # moto lists no jobs of an application that never had one.
        emr.cancel_job_run(applicationId=found[name], jobRunId=job(emr, found[name]))
    return found


def states(emr: Any, ids: dict[str, str]) -> list[str]:
    return [emr.get_application(applicationId=each)["application"]["state"] for each in ids.values()]


def job(emr: Any, which: str) -> str:
    driver = {"sparkSubmit": {"entryPoint": "s3://x/job.py"}}
    started = emr.start_job_run(applicationId=which, executionRoleArn=ROLE, jobDriver=driver, clientToken="x")
    return str(started["jobRunId"])


def change(emr: Any, which: str) -> None:
    emr.update_application(applicationId=which, clientToken="y", autoStopConfiguration={"enabled": True})


def test_idle_applications_of_the_stack_are_stopped_and_can_be_changed(emr: Any, ids: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="STARTED"):
        change(emr, ids[BI])  # what Terraform would meet
    assert len(list(stop(REGION, BEFORE, {BI: "2", ETL: "2"}))) == 2
    assert states(emr, ids) == ["STOPPED", "STOPPED", "STARTED"]
    change(emr, ids[BI])


def test_deleted_applications_and_those_without_a_name_are_no_part_of_the_stack(emr: Any, ids: dict[str, str]) -> None:
    """AWS lists deleted ones for some time; its model wants no name of an application."""
    emr.stop_application(applicationId=ids[BI])
    emr.delete_application(applicationId=ids[BI])
    emr.create_application(releaseLabel="emr-7.10.0", type="SPARK", clientToken="nameless")
    assert {each["state"] for each in emr.list_applications()["applications"]} == {"TERMINATED", "STARTED"}
    assert aws.applications(emr).keys() == {ETL, "of-others"}
    assert len(list(stop(REGION, BEFORE, {BI: "2", ETL: "2"}))) == 1


@pytest.mark.parametrize("wanted", [{BI: "2", ETL: "2"}, {ETL: "1"}, {}])
def test_a_job_is_not_cut_off(emr: Any, ids: dict[str, str], wanted: dict[str, str]) -> None:
    run = job(emr, ids[BI])
    with pytest.raises(LakehouseError) as caught:
        list(stop(REGION, BEFORE, wanted))
    assert f"{BI}: aws emr-serverless cancel-job-run --application-id {ids[BI]} --job-run-id {run}" in str(caught.value)
    assert states(emr, ids) == ["STARTED"] * 3  # nothing was done halfway


def test_a_job_of_an_application_that_stays_goes_on(emr: Any, ids: dict[str, str]) -> None:
    job(emr, ids[BI])
    assert list(stop(REGION, BEFORE, {BI: "1"})) == [f"stopped the application {ETL}, which ran no job"]
    assert states(emr, ids) == ["STARTED", "STOPPED", "STARTED"]


def test_what_is_not_there_or_rests_is_left(emr: Any, ids: dict[str, str]) -> None:
    emr.stop_application(applicationId=ids[BI])
    assert len(list(stop(REGION, {**BEFORE, "demo-aws-gone": "1"}, {}))) == 1


def test_one_on_its_way_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter(["STARTING", "STARTING", "STARTED"])

    class Client:
        def get_application(self, **_: str) -> Any:
            return {"application": {"state": next(told)}}

    monkeypatch.setattr(applications, "_PAUSE_SECONDS", 0)
    assert applications._settled(Client(), BI, "id") == "STARTED"
    told = iter(["STOPPING"] * 3)
    monkeypatch.setattr(applications, "WAIT_SECONDS", -1)
    with pytest.raises(LakehouseError, match="is STOPPING"):
        applications._settled(Client(), BI, "id")


def test_the_provisioner_ends_in_words(
    emr: Any, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DEPLOYED, json.dumps(BEFORE))
    run = job(emr, ids[BI])
    assert main([REGION, "{}"]) == 1
    assert run in capsys.readouterr().err
    assert main([REGION, json.dumps(BEFORE)]) == 0
    assert "stopped" in capsys.readouterr().out
    monkeypatch.setenv(DEPLOYED, "{}")
    assert main([REGION, "{}"]) == 0


def test_every_state_is_known() -> None:
    model: Any = botocore.session.get_session().get_service_model("emr-serverless")
    known = {*applications._RESTS, *applications._ON_THE_WAY, "STARTED"}
    assert known == set(model.shape_for("ApplicationState").enum)
    ended = {"SUCCESS", "FAILED", "CANCELLED"}
    assert {*applications._WORKS, *ended} == set(model.shape_for("JobRunState").enum)
