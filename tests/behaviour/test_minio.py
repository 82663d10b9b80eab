"""What MinIO supports and S3Proxy does not: rules and policies, also those of others, and users."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.reconciler.plan import Plan
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.s3 import client
from bootstrap.stores.minio_users import MinioUsers, digest
from lakehouse.runtimes.state import State
from tests.behaviour.conftest import only
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import Servers, running
from tests.behaviour.store_users import (
    further_keys_end_with_its_access,
    users_of_others_are_imported,
    users_reach_what_their_roles_grant,
)
from tests.behaviour.test_stores import with_buckets

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("minio"), "minio", ["nessie"]) as up:
        yield up


@pytest.fixture
def there(servers: Servers) -> Connections:
    return servers.connections()


def test_rules_and_policies_of_others_stay(servers: Servers, there: Connections, root: str) -> None:
    name = f"{root}-others"
    reconcile(with_buckets(servers, {name: {}}), there)
    s3 = client(there.store)
    rule: Any = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    statement = {
        "Sid": "Theirs",
        "Effect": "Deny",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{name}/keep/*"],
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for wanted in ({"expire_days": 3, "access": "public-read"}, {}):
        reconcile(with_buckets(servers, {name: wanted}), there)
        assert "theirs" in [each["ID"] for each in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]]
        found = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
        assert "Theirs" in [each["Sid"] for each in found]
        assert len(found) == 1 + bool(wanted)


@pytest.mark.parametrize("purge", [True, False])
def test_an_empty_bucket_with_versions_goes(servers: Servers, there: Connections, root: str, purge: bool) -> None:
    """Each apply that changed `deletable` left a version of the mark, or a delete marker."""
    name = f"{root}-empty"
    for deletable in (True, False, True):
        wanted = {name: {"versioning": True, "deletable": deletable}}
        assert reconcile(with_buckets(servers, wanted), there).exit_code == 0
    assert apply(going(servers, there, name), there, purge=purge).exit_code == 0
    assert name not in {each["Name"] for each in client(there.store).list_buckets()["Buckets"]}


def test_former_versions_need_purge(servers: Servers, there: Connections, root: str) -> None:
    name = f"{root}-former"
    assert reconcile(with_buckets(servers, {name: {"versioning": True, "deletable": True}}), there).exit_code == 0
    s3 = client(there.store)
    kept = s3.put_object(Bucket=name, Key="a", Body=b"x")["VersionId"]
    s3.delete_object(Bucket=name, Key="a")
    [failure] = apply(going(servers, there, name), there).failed
    assert "is not empty. `--purge`" in failure.message
    assert s3.get_object(Bucket=name, Key="a", VersionId=kept)["Body"].read() == b"x"
    assert apply(going(servers, there, name), there, purge=True).exit_code == 0
    assert name not in {each["Name"] for each in s3.list_buckets()["Buckets"]}


def going(servers: Servers, there: Connections, bucket: str) -> Plan:
    """What an apply with the first key would do about the bucket, of a file that does not name it."""
    return only(make_plan(with_buckets(servers, {}), there, allow_destroy=True), f"bucket {bucket}")


def test_users_reach_what_their_roles_grant_and_no_more(servers: Servers, root: str, tmp_path: Path) -> None:
    users_reach_what_their_roles_grant(servers, root, tmp_path)


def test_keys_that_a_user_makes_for_itself_end_too(servers: Servers, root: str, tmp_path: Path) -> None:
    def make(own: StoreConnection, user: str) -> tuple[str, str]:
        access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
        admin = MinioUsers(replace(servers.connections(), store=own), State(tmp_path))._admin
        admin.add_service_account(access_key=access_key, secret_key=secret_key)
        return access_key, secret_key

    further_keys_end_with_its_access(servers, root, tmp_path, make)


def test_users_of_others_are_imported_and_keep_what_they_have(servers: Servers, root: str, tmp_path: Path) -> None:
    """The user's name is its access key, so the file has a digest of it."""
    admin, access_key = MinioUsers(servers.connections(), State(tmp_path))._admin, f"{root}-ann"

    def make(name: str, document: Any) -> tuple[str, str]:
        secret_key = secrets.token_hex(20)
        admin.user_add(access_key, secret_key)
        admin.policy_add(name, policy=document)
        admin.policy_set(name, user=access_key)
        return access_key, secret_key

    users_of_others_are_imported(servers, root, tmp_path, make, digest(access_key))
