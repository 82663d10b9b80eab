"""The roles of the synthesised stack at work: as each role, PyIceberg creates, reads and writes Iceberg tables.

Against moto's server with IAM enforced (``enforced.py`` says which part is moto's): what the file grants passes,
everything else is refused.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import boto3
import pyarrow as pa
import pytest
import requests
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog

from lakehouse.access.names import Names, names
from lakehouse.spec import Lakehouse
from tests.synth.aws.attached import policies, roles
from tests.synth.aws.conftest import ROOT
from tests.synth.aws.oracle import may

ACCOUNT = "123456789012"
REGION: Literal["eu-west-1"] = "eu-west-1"
NEVER, AT_ONCE = "1e18", "0"  # requests before IAM is enforced
REFUSED = (ClientError, OSError)
TABLES = [("people", "employees"), ("people", "departments")]
PRINCIPALS = ("bi", "directory", "etl", "admin")

_RESULTS: Any = {"ResultConfiguration": {"OutputLocation": "s3://results/"}}
Take = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = os.pathsep.join([str(ROOT), str(ROOT / "constructs"), *sys.path])
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.synth.aws.enforced", str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, server)
        yield url
    finally:
        server.kill()
        server.wait()


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "moto's server ended"
        try:
            requests.get(f"{url}/moto-api/", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("moto's server does not answer")


def _resolved(policy: str, buckets: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The policy with Terraform's expressions resolved as after a deploy; ``buckets`` are those of the stack."""
    text = policy
    for name, block in buckets.items():
        text = text.replace(f"${{aws_s3_bucket.{name}.arn}}", f"arn:aws:s3:::{block['bucket']}")
    text = text.replace("${data.aws_caller_identity.account.account_id}", ACCOUNT)
    return re.sub(r"\$\{[^}]+\}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/some", text)


@pytest.fixture(scope="module")
def own(lakehouse: Lakehouse) -> Names:
    return names(lakehouse, "aws", ACCOUNT)


@pytest.fixture(scope="module")
def take(endpoint: str, stacks: Mapping[str, Any], lakehouse: Lakehouse, own: Names) -> Take:
    """Set the account up as the stack does: buckets, databases, roles with the stack's policies. Then enforce IAM."""
    requests.post(f"{endpoint}/moto-api/reset-auth", data=NEVER, timeout=5)
    root = boto3.Session("root", "root", region_name=REGION)
    s3, glue = root.client("s3", endpoint_url=endpoint), root.client("glue", endpoint_url=endpoint)
    iam, sts = root.client("iam", endpoint_url=endpoint), root.client("sts", endpoint_url=endpoint)
    for bucket in lakehouse.buckets:
        s3.create_bucket(Bucket=own.bucket(bucket), CreateBucketConfiguration={"LocationConstraint": REGION})
    resource = stacks["aws"]["resource"]
    for database in resource["aws_glue_catalog_database"].values():
        location = _resolved(database["location_uri"])
        glue.create_database(DatabaseInput={"Name": database["name"], "LocationUri": location})
    athena = root.client("athena", endpoint_url=endpoint)
    for workgroup in resource["aws_athena_workgroup"].values():
        athena.create_work_group(Name=workgroup["name"], Configuration=_RESULTS)
    keys = {}
    for name in roles(stacks["aws"]):
        role = resource["aws_iam_role"][name]["name"]
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        for nth, text in enumerate(policies(stacks["aws"], name)):
            arn = iam.create_policy(
                PolicyName=f"{role}-{nth}", PolicyDocument=_resolved(text, resource["aws_s3_bucket"])
            )["Policy"]["Arn"]
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        if role == own.role("ci-deploy"):  # a stand-in for AWS's PowerUserAccess
            whole = {"Effect": "Allow", "Action": ["glue:*", "s3:*"], "Resource": "*"}
            text = json.dumps({"Version": "2012-10-17", "Statement": [whole]})
            arn = iam.create_policy(PolicyName="PowerUserAccess", PolicyDocument=text)["Policy"]["Arn"]
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        taken = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="test")["Credentials"]
        keys[role] = {
            "access-key-id": taken["AccessKeyId"],
            "secret-access-key": taken["SecretAccessKey"],
            "session-token": taken["SessionToken"],
        }
    requests.post(f"{endpoint}/moto-api/reset-auth", data=AT_ONCE, timeout=5)
    return lambda name: keys[own.role(name)]


@pytest.fixture(scope="module")
def catalog(endpoint: str, take: Take, own: Names) -> Callable[[str], GlueCatalog]:
    def connect(name: str) -> GlueCatalog:
        properties = {"glue.endpoint": endpoint, "glue.region": REGION, "s3.endpoint": endpoint, "s3.region": REGION}
        properties |= {f"{service}.{key}": value for key, value in take(name).items() for service in ("glue", "s3")}
        return GlueCatalog("glue", **properties, warehouse=own.location("s3://warehouse/glue-warehouse"))

    return connect


ROW = pa.table({"id": pa.array([1], pa.int64())})


@pytest.fixture(scope="module")
def made(catalog: Callable[[str], GlueCatalog]) -> None:
    """The tables, created by the role that deploys, as the bootstrap does."""
    deploy = catalog("ci-deploy")
    for namespace, table in TABLES:
        deploy.create_table((namespace, table), ROW.schema).append(ROW)


def _tried(action: Callable[[], object]) -> bool:
    try:
        action()
    except REFUSED as error:
        text = str(error)
        assert "AccessDenied" in text or "ACCESS_DENIED" in text or "Forbidden" in text or "403" in text, text
        return False
    return True


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("principal", PRINCIPALS)
@pytest.mark.parametrize(("namespace", "table"), TABLES)
def test_a_principal_reads_and_writes_what_is_granted(
    catalog: Callable[[str], GlueCatalog], lakehouse: Lakehouse, principal: str, namespace: str, table: str
) -> None:
    own = catalog(principal)

    def granted(verb: str) -> bool:
        return may(lakehouse, principal, verb, "glue_catalog", namespace, table)

    assert _tried(lambda: own.load_table((namespace, table)).scan().to_arrow()) is granted("read")
    assert _tried(lambda: own.load_table((namespace, table)).append(ROW)) is granted("write")


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("principal", PRINCIPALS)
@pytest.mark.parametrize("namespace", ["people", "scratch"])
def test_a_principal_makes_and_drops_what_is_granted(
    catalog: Callable[[str], GlueCatalog], lakehouse: Lakehouse, principal: str, namespace: str
) -> None:
    own = catalog(principal)
    granted = may(lakehouse, principal, "manage", "glue_catalog", namespace)
    assert _tried(lambda: own.create_table((namespace, f"of_{principal}"), ROW.schema).append(ROW)) is granted
    if granted:
        own.drop_table((namespace, f"of_{principal}"))
    assert _tried(lambda: own.list_tables(namespace)) is may(lakehouse, principal, "read", "glue_catalog", namespace)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("principal", PRINCIPALS)
def test_nobody_reaches_other_files_of_the_bucket(endpoint: str, take: Take, own: Names, principal: str) -> None:
    access, secret, token = take(principal).values()
    s3 = boto3.Session(access, secret, token, REGION).client("s3", endpoint_url=endpoint)
    bucket = own.bucket("warehouse")
    for refused in (
        lambda: s3.put_object(Bucket=bucket, Key="lost+found", Body=b""),
        lambda: s3.get_object(Bucket=bucket, Key="lost+found"),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: s3.list_objects_v2(Bucket=bucket, Prefix="glue"),
        lambda: s3.delete_bucket(Bucket=bucket),
    ):
        assert not _tried(refused)


def test_moto_itself_agrees_on_objects(take: Take, stacks: Mapping[str, Any], lakehouse: Lakehouse, own: Names) -> None:
    """Requests for objects need no conditions, so moto's own engine can decide too: a second opinion."""
    from moto.iam.access_control import IAMPolicy, PermissionResult

    for principal in PRINCIPALS:
        engines = [IAMPolicy(_resolved(text)) for text in policies(stacks["aws"], f"principal_{principal}")]
        for namespace, table in TABLES:
            key = own.s3("warehouse", f"glue-warehouse/{namespace}/{table}/data/0.parquet")
            for verb, action in (("read", "s3:GetObject"), ("write", "s3:PutObject"), ("write", "s3:DeleteObject")):
                permitted = any(
                    engine.is_action_permitted(action, key) is PermissionResult.PERMITTED for engine in engines
                )
                assert permitted is may(lakehouse, principal, verb, "glue_catalog", namespace, table)
