"""What commands about a running stack do for a stack in AWS, or say by name."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from typer.main import get_command
from typer.testing import CliRunner

from bootstrap.cli.main import app
from tests.aws_double import AwsDouble, Parts
from tests.emr_double import EmrDouble, LogsDouble
from tests.synth.synthesised import AWS

_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
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
    assert "1 of 15 are not shown to you" in shown
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


TABLE = "glue_catalog.people.employees"
#: Commands with arguments that need AWS at once; the first words are the command.
ASKS = """
    status|endpoints|logs|verify|sql -e SHOW|shell|run JOB.py --as etl|generate --dataset orders|plan|apply
    drift|import|export
    branch list|branch create x|branch delete x|branch merge x|tag list|tag create x|tag delete x|metrics
    maintain --plan|undrop TABLE|rollback TABLE --to 1|seed TABLE|ingest ROWS.csv --into TABLE
    backup create HERE --no-secrets|aws prepare|doctor
"""
#: Commands that are refused there, by name.
REFUSED = """
    restart trino|adopt|store probe|store users|pipelines start x|pipelines stop x|pipelines logs x|secret list
    secret rotate x|secret renew|access credentials etl|access rotate --all|access test|access log
    schedule list|schedule run x|schedule history
"""
#: They run Terraform, or need no stack that is up.
OTHERS = """
    init setup synth validate deploy diff destroy diagram access pipelines-list pipelines-status metadata-publish
    backup-list backup-verify backup-delete backup-restore
"""


def _commands(text: str) -> list[list[str]]:
    return [each.split() for line in text.splitlines() for each in line.split("|") if each.strip()]


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, each in getattr(command, "commands", {}).items():
        yield from _leaves(each, (*path, name))
    if path and not getattr(command, "commands", {}):
        yield path


def test_every_command_is_known_here() -> None:
    """A new one is put where it belongs, so that it says what it does in AWS."""
    known = {tuple(words[:length]) for words in _commands(ASKS + REFUSED) for length in (1, 2)}
    known |= {tuple(each.split("-")) for each in OTHERS.split()}
    assert [leaf for leaf in _leaves(get_command(app)) if leaf not in known] == []


@pytest.mark.parametrize("words", _commands(ASKS), ids=" ".join)
def test_every_command_asks_at_the_shells_address(
    words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int
) -> None:
    """Nothing answers there, so each ends with its first question; no name of another host is looked up."""
    monkeypatch.setattr(BaseClient, "_make_api_call", _CALL)
    for name, value in {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port}", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    looked_up = []
    found = socket.getaddrinfo

    def look_up(host: Any, *more: Any, **options: Any) -> Any:
        looked_up.append(host)
        return found(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    (tmp_path / "JOB.py").write_text("print(1)")
    (tmp_path / "ROWS.csv").write_text("id\n1\n")
    given = {
        "TABLE": TABLE,
        "HERE": str(tmp_path / "backups"),
        **{name: str(tmp_path / name) for name in ("JOB.py", "ROWS.csv")},
    }
    said = run(*(given.get(word, word) for word in words), code=1)
    assert f"AWS at http://127.0.0.1:{free_port}/ cannot be reached" in " ".join(said.split())
    assert set(looked_up) <= {"127.0.0.1"}


@pytest.mark.parametrize("words", _commands(REFUSED), ids=" ".join)
def test_what_is_refused_names_the_stack_and_aws(words: list[str]) -> None:
    assert "stacks.aws is in AWS, " in run(*words, code=2)
