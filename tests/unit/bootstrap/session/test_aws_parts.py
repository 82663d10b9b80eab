"""The parts of a stack, against doubles whose requests and answers botocore's model checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bootstrap.session.aws_parts import MISSING, UNKNOWN, AwsPart, AwsParts
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.spec import load
from tests.aws_double import AwsDouble, Caller, Parts
from tests.emr_double import EmrDouble
from tests.synth.synthesised import AWS

PRINCIPALS = ("bi", "directory", "etl", "admin")


@pytest.fixture
def target() -> Target:
    return Target(AWS, load(AWS), "aws")


@pytest.fixture
def services() -> Parts:
    return Parts()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, services: Parts) -> AwsDouble:
    emr = EmrDouble(names=[f"employees-aws-{each}" for each in PRINCIPALS])
    own = dict.fromkeys(("s3", "glue", "athena", "s3tables", "ssm"), services)
    return AwsDouble(monkeypatch, **own, emr_serverless=emr)


def parts(target: Target) -> list[AwsPart]:
    return list(AwsParts.of(target).parts())


BUCKETS = ("warehouse", "staging", "query-results", "sources")


def test_every_part_is_asked_for(target: Target, account: AwsDouble) -> None:
    found = parts(target)
    assert [f"{each.kind} {each.name.removeprefix('employees-aws-')}: {each.state}" for each in found] == [
        *(f"bucket {each}-123456789012-eu-west-1: there" for each in BUCKETS),
        *(f"Glue database {each}: there" for each in ("people", "scratch")),
        *(f"Athena workgroup {each}: ENABLED" for each in (*PRINCIPALS, "operators")),
        *(f"EMR application {each}: STOPPED" for each in PRINCIPALS),
    ]
    assert all(each.well for each in found)


def test_a_principal_sees_its_own_work(target: Target, account: AwsDouble) -> None:
    account.services["sts"] = Caller("employees-aws-etl-eu-west-1")
    work = [each.name for each in parts(target) if each.kind in ("Athena workgroup", "EMR application")]
    assert work == ["employees-aws-etl", "employees-aws-etl"]


def test_what_is_missing_and_what_is_not_shown(target: Target, account: AwsDouble, services: Parts) -> None:
    services.missing = {"people", "employees-aws-bi", "employees-aws-staging-123456789012-eu-west-1"}
    services.denied = {"scratch", "employees-aws-warehouse-123456789012-eu-west-1"}
    states = {(each.kind, each.name): each.state for each in parts(target)}
    assert states["Glue database", "people"] == MISSING
    assert states["Athena workgroup", "employees-aws-bi"] == MISSING
    assert states["bucket", "employees-aws-staging-123456789012-eu-west-1"] == MISSING
    assert states["Glue database", "scratch"] == UNKNOWN
    assert states["bucket", "employees-aws-warehouse-123456789012-eu-west-1"] == UNKNOWN


def test_an_application_that_is_not_listed_is_missing(target: Target, account: AwsDouble) -> None:
    account.services["emr_serverless"] = EmrDouble(names=["employees-aws-etl"])
    states = {each.name: each.state for each in parts(target) if each.kind == "EMR application"}
    assert states == {f"employees-aws-{each}": "STOPPED" if each == "etl" else MISSING for each in PRINCIPALS}


@pytest.mark.parametrize(
    ("stack", "kinds"),
    [("clusters", {"bucket", "Glue database", "instances"}), ("tables", {"bucket", "table bucket", "EMR application"})],
)
def test_other_forms_have_other_parts(target: Target, account: AwsDouble, stack: str, kinds: set[str]) -> None:
    assert {each.kind for each in parts(replace(target, stack=stack))} == kinds


def test_what_came_of_instances_is_shown(target: Target, account: AwsDouble, services: Parts) -> None:
    counts = {"Success": 2, "Failed": 1}
    for name, status in (("trino-coordinator", "Success"), ("trino-worker", "Failed"), ("spark-master", "Pending")):
        overview = {"Status": status, **({"AssociationStatusAggregatedCount": counts} if status == "Failed" else {})}
        services.associations.append({"AssociationName": f"employees-clusters-{name}", "Overview": overview})
    found = {each.name: each for each in parts(replace(target, stack="clusters")) if each.kind == "instances"}
    assert {name.removeprefix("employees-clusters-"): (each.state, each.well) for name, each in found.items()} == {
        "trino-coordinator": ("Success", True),
        "trino-worker": ("Failed (Failed 1, Success 2)", False),
        "spark-master": ("Pending", True),
        "spark-worker": (MISSING, False),
    }
    services.denied = {"lakehouse-employees-clusters-configure"}
    kinds = [each for each in parts(replace(target, stack="clusters")) if each.kind == "instances"]
    assert {each.state for each in kinds} == {UNKNOWN}


def test_other_errors_are_errors(target: Target, account: AwsDouble, services: Parts) -> None:
    services.broken = {"people"}
    with pytest.raises(LakehouseError, match="AWS refuses to show the stack: .*InternalServiceException"):
        parts(target)


def test_without_credentials_nothing_is_asked(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    empty: Mapping[str, Any] = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    for name, value in {**empty, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(LakehouseError, match="stacks.aws is in AWS, and there are no credentials for it"):
        AwsParts.of(target)
