"""What SeaweedFS has more of than other stores: doors. Each is closed to whoever lacks a certificate or a key."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bootstrap.catalogs import connect
from bootstrap.remote.auth import SigV4
from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import RemoteError
from bootstrap.remote.s3 import client, iam, s3tables, sts
from bootstrap.remote.user_keys import ACCESS_KEY, SECRET_KEY
from bootstrap.stores.iam_users import IamUsers
from lakehouse.kinds.store import ROLE
from lakehouse.kinds.stores.seaweedfs import METRICS, NAME, SEAWEEDFS, TABLES
from lakehouse.runtimes.state import State
from tests.behaviour.reconciling import make_plan, reconcile
from tests.behaviour.servers import REGION, Servers
from tests.behaviour.store_users import (
    eventually,
    further_keys_end_with_its_access,
    of_user,
    users_of_others_are_imported,
    users_reach_what_their_roles_grant,
    with_access,
)

pytestmark = [
    pytest.mark.behaviour,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("servers", [NAME], indirect=True, scope="session"),
]

ENDED = 0  # the connection was, for want of TLS or of a certificate
PAGE = {"Origin": "http://evil.example", "Content-Type": "text/plain"}  # what a browser sends without asking first


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("door", [each.name for each in SEAWEEDFS.listeners if each.name not in (TABLES, METRICS)])
def test_a_stranger_is_refused_at_every_port(servers: Servers, door: str, scheme: str, method: str) -> None:
    """Also what browsers send for a page of anybody's; paths are those that the parts answer without a certificate."""
    socket.create_connection(("127.0.0.1", servers.ports[door]), timeout=10).close()  # it listens
    for path in ("/", "/warehouse/x", "/dir/assign", "/buckets/", "/cluster/status"):
        status, headers = answer(f"{scheme}://127.0.0.1:{servers.ports[door]}{path}", method)
        assert status in ((400, 403, 405) if (door, scheme) == (NAME, "http") else (ENDED, 400)), path
        # The gateway lets a page read how it refuses.
        assert door == NAME or "Access-Control-Allow-Origin" not in headers, path


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stranger_is_refused_at_the_port_of_the_tables(servers: Servers, scheme: str, method: str) -> None:
    """Only the path by which clients learn a catalog's prefix answers: with the name that they sent."""
    base = f"{scheme}://127.0.0.1:{servers.ports[TABLES]}"
    for path in (
        *("/v1/tables/namespaces", "/v1/namespaces", "/v1/tables/namespaces/a/tables/t", "/v1/tables/tables/rename"),
        *("/v1/oauth/tokens", "/v1/tables/transactions/commit", "/tables/x", "/"),
    ):
        status, headers = answer(f"{base}{path}", method)
        assert status in ((400, 401, 403, 404, 405) if scheme == "http" else (ENDED, 400)), path
        assert "Access-Control-Allow-Origin" not in headers, path
        if (scheme, path) == ("http", "/v1/tables/namespaces") and method in ("GET", "POST"):  # it has no others
            assert status in (401, 403)
    if (scheme, method) == ("http", "GET"):
        assert answer(f"{base}/v1/config?warehouse=nobodys", "GET")[0] == 200


def answer(url: str, method: str) -> tuple[int, dict[str, str]]:
    """The status and the headers of the answer to somebody without any key or certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(url, data=None if method == "GET" else b"x", method=method, headers=PAGE)
    try:
        with urllib.request.urlopen(request, timeout=10, context=trusting) as answered:
            return answered.status, dict(answered.headers)
    except urllib.error.HTTPError as refused:
        return refused.code, dict(refused.headers)
    except OSError:
        return ENDED, {}


def test_only_the_owner_may_assume_the_role(servers: Servers) -> None:
    """Another user of the store, made by hand, gets no keys that open more than its own."""
    keys: dict[str, Any] = {"endpoint_url": servers.store, "region_name": REGION}
    owner: dict[str, Any] = {"aws_access_key_id": servers.access_key, "aws_secret_access_key": servers.secret_key}
    iam = boto3.client("iam", **keys, **owner)
    iam.create_user(UserName="other")
    made = iam.create_access_key(UserName="other")["AccessKey"]
    listing = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::warehouse"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [listing]})
    iam.put_user_policy(UserName="other", PolicyName="listing", PolicyDocument=document)
    other: dict[str, Any] = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }
    assume = {"RoleArn": ROLE, "RoleSessionName": "test"}
    assert boto3.client("sts", **keys, **owner).assume_role(**assume)["Credentials"]["SessionToken"]
    with pytest.raises(ClientError) as refused:
        boto3.client("sts", **keys, **other).assume_role(**assume)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_users_reach_what_their_roles_grant_and_no_more(servers: Servers, root: str, tmp_path: Path) -> None:
    users_reach_what_their_roles_grant(servers, root, tmp_path)


def test_keys_that_a_user_makes_for_itself_end_too(servers: Servers, root: str, tmp_path: Path) -> None:
    def make(own: StoreConnection, user: str) -> tuple[str, str]:
        made = iam(own).create_access_key(UserName=user)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    further_keys_end_with_its_access(servers, root, tmp_path, make)


def test_a_user_reaches_nothing_but_files(servers: Servers, root: str, tmp_path: Path) -> None:
    """The other APIs behind the same signatures: of users, keys and tables. There a user has nothing."""
    users, name = IamUsers(servers.connections(), State(tmp_path)), f"{root}-a"
    reading = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::warehouse/{root}/*"]}
    users.create(name, {"Version": "2012-10-17", "Statement": [reading]})
    access_key, secret_key = ((tmp_path / "secrets" / f"{name}-{key}").read_text() for key in (ACCESS_KEY, SECRET_KEY))
    theirs = replace(servers.connections().store, access_key=access_key, secret_key=secret_key)
    calls: list[Callable[[], Any]] = [
        lambda: iam(theirs).list_users(),
        lambda: iam(theirs).create_access_key(UserName=f"{root}-b"),
        lambda: iam(theirs).put_user_policy(UserName=name, PolicyName="all", PolicyDocument="{}"),
        lambda: sts(theirs).assume_role(RoleArn=ROLE, RoleSessionName="test"),
        lambda: s3tables(theirs).create_table_bucket(name=f"{root}-bucket"),
    ]
    for call in calls:
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert not s3tables(theirs).list_table_buckets().get("tableBuckets")
    signed = SigV4.of(access_key, secret_key, "s3tables", REGION)
    catalog = replace(servers.connections(kind="s3tables").catalogs["lake"], auth=signed)
    with pytest.raises(RemoteError):
        connect("lake", replace(servers.connections(), catalogs={"lake": catalog})).create_namespace(root, {})


def test_policies_of_others_stay_until_the_file_is_authoritative(servers: Servers, root: str, tmp_path: Path) -> None:
    """The user reads by them what the file does not grant, and no longer once they are taken away."""
    name, user = f"l{root}"[:20], f"l{root}"[:20] + "-analyst"
    here = replace(servers.connections(), user_keys=State(tmp_path), user_api=SEAWEEDFS.users)
    wanted = with_access(servers, name, {"lake.silver": ["read"]})
    assert reconcile(wanted, here).exit_code == 0
    client(here.store).put_object(Bucket="warehouse", Key=f"theirs/{root}", Body=b"")
    reads = [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::warehouse/theirs/*"]}]
    document = json.dumps({"Version": "2012-10-17", "Statement": reads})
    admin = iam(here.store)
    admin.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=document)
    arn = admin.create_policy(PolicyName=f"{root}-shared", PolicyDocument=document)["Policy"]["Arn"]
    admin.attach_user_policy(UserName=user, PolicyArn=arn)

    def reads_theirs() -> bool:
        try:
            client(of_user(here, tmp_path, user)).get_object(Bucket="warehouse", Key=f"theirs/{root}")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                raise
            return False
        return True

    assert eventually(reads_theirs)
    assert [each.address for each in make_plan(wanted, here, allow_destroy=True).steps] == []
    grants = wanted.access.model_copy(update={"grants": "authoritative"})
    only = wanted.model_copy(update={"access": grants})
    theirs = {f"policy {user}: inline", f"policy {user}: {root}-shared"}
    waiting = make_plan(only, here)
    assert (waiting.steps, theirs <= set(waiting.unnamed)) == ((), True)
    assert {each.address for each in reconcile(only, here, allow_destroy=True).done} == theirs
    assert make_plan(only, here, allow_destroy=True).steps == ()
    assert eventually(lambda: not reads_theirs())
    assert admin.get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn
    admin.delete_policy(PolicyArn=arn)


def test_users_of_others_are_imported_and_keep_what_they_have(servers: Servers, root: str, tmp_path: Path) -> None:
    admin, user = iam(servers.connections().store), f"{root}-ann"

    def make(policy: str, document: Any) -> tuple[str, str]:
        admin.create_user(UserName=user)
        made = admin.create_access_key(UserName=user)["AccessKey"]
        admin.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=json.dumps(document))
        return made["AccessKeyId"], made["SecretAccessKey"]

    users_of_others_are_imported(servers, root, tmp_path, make, user)
