"""A stack in AWS from its synthesised JSON to its tables, against moto's server: Terraform's last step, and later."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bootstrap.session.synthesised import Synthesised
from lakehouse.packages import terraform
from tests import moto
from tests.synth.synthesised import AWS, stacks

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent


@dataclass
class Account:
    """A stack of the example in an account of moto's, before its contents are created."""

    url: str
    stack: Synthesised
    folder: Path

    @property
    def region(self) -> str:
        return moto.region_of(self.stack)

    @property
    def file(self) -> Path:
        return self.folder / "lakehouse.yaml"

    def run(self, *words: str, code: int = 0, **environment: str) -> str:
        command = [str(BIN / "lakehouse"), "--file", str(self.file), "--stack", self.stack.name, *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**moto.environment(self.url, self.region), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def terraform(self) -> None:
        """The stack's last resource, applied by Terraform itself. The others need AWS's provider."""
        step = moto.bootstrap_step(self.stack)
        command = step["command"].replace(str(AWS), str(self.file))
        assert command != step["command"]
        block = {"provisioner": [{"local-exec": {"command": command, "environment": step["environment"]}}]}
        at = self.folder / "stack"
        at.mkdir()
        (at / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": {"bootstrap": block}}}))
        for words in (["init"], ["apply", "-auto-approve"]):
            done = subprocess.run(
                [terraform.find(os.environ) or "terraform", *words, "-no-color", "-input=false"],
                cwd=at,
                env=moto.environment(self.url, self.region),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto.running() as up:
        yield up


@pytest.fixture(scope="module")
def account(url: str, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """`clusters` of the example: its engines are not services of AWS, so that all of `verify` can run here."""
    folder = tmp_path_factory.mktemp("aws")
    shutil.copy(AWS, folder / "lakehouse.yaml")
    made = Account(url, stacks(AWS)["clusters"], folder)
    moto.deploy(url, made.stack)
    made.terraform()
    return made


def test_the_last_resource_makes_the_tables(account: Account) -> None:
    glue = moto.client("glue", account.url, account.region)
    made = {each["Name"]: each for each in glue.get_tables(DatabaseName="people")["TableList"]}
    assert made.keys() == {"employees", "departments"}
    assert {each["Parameters"]["table_type"] for each in made.values()} == {"ICEBERG"}
    at = f"s3://employees-clusters-warehouse-{moto.ACCOUNT}-eu-central-1/glue-warehouse/people/employees"
    assert made["employees"]["StorageDescriptor"]["Location"] == at
    types = {each["Name"]: each["Type"] for each in made["employees"]["StorageDescriptor"]["Columns"]}
    assert types["salary"] == "decimal(10,2)"


def test_nothing_is_left_to_do_and_nothing_drifts(account: Account) -> None:
    assert "No changes." in account.run("plan")
    assert "No drift." in account.run("drift")


def test_the_file_evolves_a_table_and_drift_is_seen(account: Account) -> None:
    before = account.file.read_text()
    account.file.write_text(
        before.replace("              role: string\n", "              role: string\n              team: string\n")
    )
    assert "+ column team string" in account.run("plan", code=2)
    account.run("apply")
    assert "No changes." in account.run("plan")
    account.file.write_text(before)
    assert "column glue_catalog.people.employees.team exists, but is not in the file" in account.run("drift", code=2)


def test_verify_writes_and_reads_and_leaves_nothing(account: Account) -> None:
    report = json.loads(account.run("verify", "--json"))
    assert report["ok"], report
    assert [each["what"] for each in report["checks"]] == [
        "namespace created",
        "PyIceberg writes",
        "PyIceberg reads",
        "PyIceberg reads as of a snapshot",
        "everything removed",
    ]
    glue = moto.client("glue", account.url, account.region)
    assert {each["Name"] for each in glue.get_databases()["DatabaseList"]} == {"people", "scratch"}


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"LAKEHOUSE_AWS_ACCOUNT": "999999999999"}, 2, "the credentials are for account 123456789012"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, 1, "there are no credentials for it"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}, 1, "cannot be reached"),
    ],
)
def test_what_stops_a_command_is_reported(account: Account, environment: dict[str, str], code: int, said: str) -> None:
    assert said in account.run("plan", code=code, **environment)


def test_s3_tables_are_not_bootstrapped(account: Account) -> None:
    tables = Account(account.url, stacks(AWS)["tables"], account.folder)
    assert "whose contents the bootstrap does not manage" in tables.run("plan", code=2)
    assert "terraform_data.bootstrap" not in tables.stack.resources


def test_files_are_loaded_once_without_an_engine(account: Account) -> None:
    source = account.folder / "departments.csv"
    source.write_text("id,title\n1,Research\n2,Sales\n")
    into = ("--into", "glue_catalog.people.departments")
    assert "2 rows from 1 files appended" in account.run("ingest", str(source), *into)
    assert "0 rows from 0 files appended; 1 loaded before" in account.run("ingest", str(source), *into)
    shown = json.loads(account.run("metrics", "glue_catalog.people.departments", "--json"))
    assert [each["rows"] for each in shown] == [2]


def test_made_up_rows_are_written_without_an_engine(account: Account) -> None:
    assert "glue_catalog.shop.orders: 50 rows appended" in account.run(
        "generate", "--dataset", "orders", "--rows", "50"
    )
    glue = moto.client("glue", account.url, account.region)
    [made] = glue.get_tables(DatabaseName="shop")["TableList"]
    at = f"s3://employees-clusters-warehouse-{moto.ACCOUNT}-eu-central-1/"
    assert made["StorageDescriptor"]["Location"].startswith(at)


@contextmanager
def systems_manager(associations: Sequence[str]) -> Iterator[str]:
    """The address of a double of Systems Manager that lists these associations, which moto's server cannot."""
    listed = [{"AssociationName": each, "Overview": {"Status": "Success"}} for each in associations]

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["X-Amz-Target"] == "AmazonSSM.ListAssociations"
            body = json.dumps({"Associations": listed}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_status_and_doctor_see_the_stack(account: Account) -> None:
    declared = account.stack.resources.items()
    made = [each["association_name"] for address, each in declared if address.startswith("aws_ssm_association.")]
    with systems_manager(made) as url:
        report = json.loads(account.run("status", "--json", AWS_ENDPOINT_URL_SSM=url))
        checks = json.loads(account.run("doctor", "--json", AWS_ENDPOINT_URL_SSM=url))["checks"]
    assert report["healthy"], report
    assert {each["kind"] for each in report["parts"]} == {"bucket", "Glue database", "instances"}
    found = {each["check"]: each["severity"] for each in checks}
    assert found["credentials"] == found["buckets"] == found["databases"] == "ok"


def test_snapshots_expire_and_orphans_go_without_an_engine(account: Account) -> None:
    """Athena compacts, which moto does not execute: what deletes is the toolkit's own."""
    before = account.file.read_text()
    policy = "          departments:\n            maintenance: {remove_orphans: {older_than_days: 2}}\n"
    account.file.write_text(before.replace("          departments:\n", policy))
    try:
        assert "remove orphans" in account.run("maintain", "--plan", code=2)
        assert "departments" in account.run("maintain")
    finally:
        account.file.write_text(before)
    shown = json.loads(account.run("metrics", "glue_catalog.people.departments", "--json"))
    assert [each["rows"] for each in shown] == [2]
