"""What commands about a running stack do for a stack in AWS, or say by name."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bootstrap.cli.main import app
from tests.aws_double import AwsDouble, Parts
from tests.emr_double import EmrDouble, LogsDouble
from tests.synth.synthesised import AWS

APPLICATIONS = [f"employees-aws-{each}" for each in ("bi", "directory", "etl", "admin")]


@pytest.fixture
def services() -> Parts:
    return Parts()


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, services: Parts) -> AwsDouble:
    monkeypatch.setenv("NO_COLOR", "1")
    emr = EmrDouble(names=APPLICATIONS)
    double = AwsDouble(monkeypatch, s3=services, glue=services, athena=services, emr_serverless=emr)
    double.services["logs"] = LogsDouble()
    return double


def run(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["--file", str(AWS), "--stack", "aws", *words])
    assert done.exit_code == code, done.output
    return done.output


def test_status_shows_each_part() -> None:
    shown = run("status").splitlines()
    assert shown[0].split() == ["PART", "NAME", "STATE"]
    assert ["EMR", "application", "employees-aws-etl", "STOPPED"] in [line.split() for line in shown]
    assert shown[-1] == "Account 123456789012 in eu-west-1, as arn:aws:iam::123456789012:user/me."


def test_status_fails_if_a_part_is_missing_and_says_what_to_do(services: Parts) -> None:
    services.missing, services.denied = {"people"}, {"scratch"}
    shown = run("status", code=1)
    assert "1 of 14 are not shown to you" in shown
    assert "`lakehouse --stack aws deploy` makes what is missing." in shown
    found = json.loads(run("status", "--json", code=1))
    assert found["healthy"] is False
    assert {"kind": "Glue database", "name": "people", "state": "missing"} in found["parts"]


def test_endpoints_are_those_of_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {each["name"]: each["external"] for each in json.loads(run("endpoints", "--json"))}
    assert found["glue"] == "https://glue.eu-west-1.amazonaws.com"
    assert found["iceberg-rest"] == "https://glue.eu-west-1.amazonaws.com/iceberg"
    at = "s3://employees-aws-warehouse-123456789012-eu-west-1/glue-warehouse"
    assert found["catalog-glue_catalog"] == at
    assert found["spark-etl"] == "https://emr-serverless.eu-west-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "http://127.0.0.1:1/iceberg" in run("endpoints")


def test_doctor_looks_at_credentials_and_parts(services: Parts) -> None:
    found = {each["check"]: each for each in json.loads(run("doctor", "--json"))["checks"]}
    assert found["credentials"]["found"] == "account 123456789012, as arn:aws:iam::123456789012:user/me"
    assert {name: found[name]["severity"] for name in ("buckets", "databases", "athena", "spark")} == dict.fromkeys(
        ("buckets", "databases", "athena", "spark"), "ok"
    )
    services.missing, services.denied = {"people"}, {"employees-aws-bi"}
    found = {each["check"]: each for each in json.loads(run("doctor", "--json", code=1))["checks"]}
    assert found["databases"]["found"] == "people: not in the account"
    assert "`lakehouse --stack aws deploy`" in found["databases"]["fix"]
    assert found["athena"]["severity"] == "warning"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["restart", "trino"], "where `restart` has no meaning. AWS runs the services there"),
        (["shell", "pyspark"], "where `shell pyspark` has no meaning. Spark has no sessions there"),
        (["endpoints", "--for", "dbt"], "where `endpoints --for` has no meaning."),
        (["generate", "--dataset", "tpch"], "TPC-H is made by a connector of Trino, which Athena does not have"),
        (["secret", "list"], "is in AWS, whose Secrets Manager keeps and rotates its secrets"),
        (["store", "probe"], "is in AWS, and this command is about services that run on this machine"),
    ],
)
def test_what_has_no_meaning_there_says_so(words: list[str], said: str) -> None:
    assert said in run(*words, code=2)
