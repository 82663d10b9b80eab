"""Each call to AWS in the source: botocore's model of the service has the operation and its parameters.

A call that no test makes is walked, too. What a call of the tests sends and gets is checked by the same models, with
its values (`tests/aws_double.py`); moto's clients check what they send.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from bootstrap.remote import s3 as made
from bootstrap.remote.connections import StoreConnection
from bootstrap.session import aws
from bootstrap.session.target import Target
from lakehouse.spec import load
from tests.synth.synthesised import AWS

ROOT = Path(__file__).parents[2]
SOURCES = ("bootstrap", "constructs", "offline", "policies", "stacks")
#: By the file's name below `bootstrap`: how it names its clients, and the services that these are of.
CLIENTS: Mapping[str, Mapping[str, str]] = {
    "backup/store_files.py": {"self._s3": "s3"},
    "backup/vault.py": {"self._s3": "s3"},
    "catalogs/glue.py": {"self.glue": "glue"},
    "catalogs/metrics.py": {"self._s3": "s3"},
    "doctor/probes.py": {"s3": "s3"},
    "files/places.py": {"self._s3": "s3"},
    "ingest/load.py": {"self._s3": "s3"},
    "jobs/emr.py": {"self.emr": "emr-serverless", "application.emr": "emr-serverless", "s3": "s3"},
    "jobs/emr_logs.py": {"self.client": "logs"},
    "jobs/past.py": {"application.emr": "emr-serverless"},
    "maintenance/garbage.py": {"self._s3": "s3"},
    "maintenance/managed.py": {"self._client": "glue s3tables"},
    "maintenance/superseded.py": {"self._s3": "s3"},
    "operations/applications.py": {"emr": "emr-serverless"},
    "operations/software.py": {"self._s3": "s3"},
    "operations/prepare.py": {"s3": "s3", "iam": "iam"},
    "probe/buckets.py": {"room.s3": "s3", "given": "s3", "other": "s3", "sts(room.store)": "sts"},
    "probe/objects.py": {"room.s3": "s3"},
    "probe/room.py": {"self.s3": "s3", "s3": "s3"},
    "remote/objects.py": {"self._boto": "s3"},
    "session/athena_sql.py": {"self._client": "athena"},
    "session/aws.py": {"client('sts', region)": "sts", "emr": "emr-serverless"},
    "session/aws_parts.py": {
        "self.client('ssm')": "ssm",
        "s3": "s3",
        "glue": "glue",
        "s3tables": "s3tables",
        "athena": "athena",
    },
    "session/lake_formation.py": {"client": "lakeformation", "aws.client('lakeformation', region)": "lakeformation"},
    "stores/buckets.py": {"self.client": "s3"},
    "stores/folders.py": {"self._client": "s3"},
    "stores/iam_users.py": {"self._iam": "iam"},
    "stores/owners.py": {"client": "s3"},
    "stores/proof.py": {"s3": "s3", "owner": "s3"},
    "stores/tables.py": {"s3tables(self._connections.store)": "s3tables"},
    "verify/athena.py": {"self._client": "athena"},
    "verify/namespace.py": {"store": "s3"},
}
#: What a client has that is no operation. https://docs.aws.amazon.com/boto3/latest/reference/services/s3.html
OTHERS = {"close", "download_file", "exceptions", "generate_presigned_url", "meta", "upload_file", "upload_fileobj"}
SERVICES = sorted({service for names in CLIENTS.values() for text in names.values() for service in text.split()})


@cache
def _operations(service: str) -> Mapping[str, Any]:
    """The models of a service's operations, by the names of a client's methods."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(each): model.operation_model(each) for each in model.operation_names}


@cache
def _paginators(service: str) -> frozenset[str]:
    loader = botocore.session.get_session().get_component("data_loader")
    return frozenset(map(xform_name, loader.load_service_model(service, "paginators-1")["pagination"]))


@dataclass(frozen=True)
class AwsCall:
    """A method of a client in the source. ``given``: its parameters; None: it is passed on, or they are unpacked."""

    line: int
    services: tuple[str, ...]
    method: str
    given: frozenset[str] | None
    whole: bool = True  # no parameter is unpacked besides
    paginated: bool = False

    @property
    def wrong(self) -> str:
        """What no service's model has; empty if one has all."""
        return min((self._wrong(each) for each in self.services), key=len)

    def _wrong(self, service: str) -> str:
        at = f"{self.line}: {service}.{self.method}"
        operation = _operations(service).get(self.method)
        if operation is None or (self.paginated and self.method not in _paginators(service)):
            return f"{at} is no {'list with pages' if self.paginated else 'operation'}"
        shape = operation.input_shape
        known = {*(shape.members if shape else ()), *(["PaginationConfig"] if self.paginated else [])}
        needed = set(shape.required_members) if shape else set()
        if self.given is None:
            return ""
        strange, lacking = self.given - known, needed - self.given if self.whole else set()
        return f"{at}: strange {sorted(strange)}, lacking {sorted(lacking)}" if strange or lacking else ""


def calls(source: str, clients: Mapping[str, str]) -> Iterator[AwsCall]:
    """Every use of the clients in a module's source."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or (text := clients.get(ast.unparse(node.value))) is None:
            continue
        call = parents[node]
        if node.attr == "get_paginator":
            assert isinstance(call, ast.Call)
            yield from _pages(call, parents, tuple(text.split()))
        elif node.attr not in OTHERS:
            given, whole = _given(call, node)
            yield AwsCall(node.lineno, tuple(text.split()), node.attr, given, whole)


def _given(call: ast.AST, method: ast.AST) -> tuple[frozenset[str] | None, bool]:
    """The parameters of a call of the method, or of its `partial`."""
    partial = isinstance(call, ast.Call) and ast.unparse(call.func) == "partial" and call.args[0] is method
    if not isinstance(call, ast.Call) or not (call.func is method or partial):
        return None, False
    names = [each.arg for each in call.keywords]
    return frozenset(name for name in names if name), None not in names


def _pages(call: ast.Call, parents: Mapping[ast.AST, ast.AST], services: tuple[str, ...]) -> Iterator[AwsCall]:
    """The call of `paginate`, which follows at once or is of the variable that gets the paginator."""
    if not isinstance(call.args[0], ast.Constant):
        return  # stores/iam_users.py: the operation is a parameter
    method = str(call.args[0].value)
    after = parents[call]
    found = [parents[after]] if isinstance(after, ast.Attribute) and after.attr == "paginate" else []
    if isinstance(after, ast.Assign):
        scope: ast.AST = after
        while not isinstance(scope, ast.FunctionDef):
            scope = parents[scope]
        name = f"{ast.unparse(after.targets[0])}.paginate"
        found = [each for each in ast.walk(scope) if isinstance(each, ast.Call) and ast.unparse(each.func) == name]
    if not found:
        yield AwsCall(call.lineno, services, method, None, paginated=True)
    for each in found:
        assert isinstance(each, ast.Call)
        given, whole = _given(each, each.func)
        yield AwsCall(each.lineno, services, method, given, whole, paginated=True)


_CAPITAL = re.compile(r"\b[A-Za-z]*[A-Z]\w*=(?!=)")
_MAKES = re.compile(r"\b(?:boto3|[Ss]ession|made)(?:\(.*\))?\.(?:client|resource|create_client)\(")


def _sources() -> Iterator[tuple[str, str]]:
    for path in sorted(each for folder in SOURCES for each in (ROOT / folder).rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text()


def _read(name: str) -> str:
    return (ROOT / "bootstrap" / name).read_text()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_call_is_one_of_the_service(name: str) -> None:
    found = list(calls(_read(name), CLIENTS[name]))
    assert found, "it makes no call: remove it from the table"
    assert [each.wrong for each in found if each.wrong] == []


def test_no_call_is_left_out() -> None:
    """AWS's parameters have capital letters; the project's own have none."""
    operations = {method for service in SERVICES for method in _operations(service)} | {"paginate"}
    left = []
    for name, text in _sources():
        if not _CAPITAL.search(text):
            continue
        walked = {each.line for each in calls(text, CLIENTS.get(name.removeprefix("bootstrap/"), {}))}
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and any(each.arg and each.arg != each.arg.lower() for each in node.keywords):
                method = node.args[0] if ast.unparse(node.func) == "partial" else node.func
                of_aws = isinstance(method, ast.Attribute) and method.attr in operations
                if of_aws and not walked & {method.lineno, node.lineno}:
                    left.append(f"{name}:{node.lineno}: {ast.unparse(node)[:60]}")
    assert left == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("jobs/emr.py", "start_job_run(", "start_jobs_run(", "emr-serverless.start_jobs_run is no operation"),
        (
            "jobs/emr.py",
            "executionRoleArn=",
            "executionRole=",
            "strange ['executionRole'], lacking ['executionRoleArn']",
        ),
        ("jobs/past.py", '"list_job_runs"', '"get_job_run"', "emr-serverless.get_job_run is no list with pages"),
        ("operations/applications.py", "applicationId=which, states", "id=which, states", "lacking ['applicationId']"),
        ("session/aws_parts.py", "WorkGroup=name", "Workgroup=name", "strange ['Workgroup']"),
        ("maintenance/managed.py", "update_table_optimizer", "update_optimizer", "update_optimizer is no operation"),
    ],
)
def test_a_mistake_is_found(name: str, old: str, new: str, said: str) -> None:
    source = _read(name)
    assert old in source
    assert said in "\n".join(each.wrong for each in calls(source.replace(old, new), CLIENTS[name]))


ELSEWHERE = "http://127.0.0.1:1"
MAKERS: Mapping[str, Callable[[str], Any]] = {
    **{service: lambda region, service=service: aws.client(service, region) for service in SERVICES},  # type: ignore[misc]
    "the store": lambda region: made.client(StoreConnection(None, region)),
    "the catalog": lambda region: made.glue(StoreConnection(None, region), "", patience=1, parallel=1),
    "table buckets": lambda region: made.s3tables(StoreConnection(None, region)),
}


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", ""])
@pytest.mark.parametrize("maker", MAKERS)
def test_the_shells_address_holds_for_every_client(maker: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    if variable:
        monkeypatch.setenv(variable, ELSEWHERE)
    assert (MAKERS[maker]("eu-west-1").meta.endpoint_url == ELSEWHERE) is bool(variable)


def test_clients_are_made_in_two_places() -> None:
    """So the address and the credentials of the shell hold for every command."""
    found = {name for name, text in _sources() if _MAKES.search(text)}
    assert found == {"bootstrap/session/aws.py", "bootstrap/remote/s3.py"}


def test_glue_at_another_address_takes_a_profiles_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As for an endpoint of the user's own network. Only a store that we run is used without the shell's settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "credentials"
    file.write_text("[mine]\naws_access_key_id = OF-THE-PROFILE\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", ELSEWHERE)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    target = Target(AWS, load(AWS), "aws")
    client = aws.iceberg(target.lakehouse, target.stack, "glue_catalog").glue
    assert client.meta.endpoint_url == ELSEWHERE
    assert client._request_signer._credentials.access_key == "OF-THE-PROFILE"
