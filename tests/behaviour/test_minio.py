"""What MinIO has and S3Proxy has not: rules and policies, by whomever they were made, and users."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.reconciler.plan import Plan
from bootstrap.remote.connections import Connections
from bootstrap.remote.s3 import client
from bootstrap.stores import users
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import only
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import Servers, running
from tests.behaviour.test_stores import with_buckets

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("minio"), "minio") as up:
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
    """Each apply that turned its key left a version of the mark, and one of its deletion."""
    name = f"{root}-empty"
    for deletable in (True, False, True):
        wanted = {name: {"versioning": True, "deletable": deletable}}
        assert reconcile(with_buckets(servers, wanted), there).exit_code == 0
    assert apply(going(servers, there, name), there, purge=purge).exit_code == 0
    assert name not in {each["Name"] for each in client(there.store).list_buckets()["Buckets"]}


def test_former_versions_need_the_third_word(servers: Servers, there: Connections, root: str) -> None:
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


def test_users_reach_what_their_roles_grant_and_no_more(servers: Servers, there: Connections, root: str) -> None:
    name = f"l{root}"[:20]
    spec = with_access(servers, name, {"lake.silver": ["read"], "lake.bronze": ["write"]})
    reconcile(spec, there)
    keys = {f"{name}-analyst-access-key": secrets.token_hex(20), f"{name}-analyst-secret-key": secrets.token_hex(20)}
    admin = users.Users(there.store)

    def bring(wanted: Lakehouse) -> list[str]:
        found = users.changes(users.wanted(wanted), admin.facts(wanted.name))
        for change in found:
            admin.carry_out(change, keys.__getitem__, keys.__delitem__)
        return [str(each) for each in found]

    def may(call: Callable[..., Any], key: str, **more: Any) -> bool:
        try:
            call(Bucket="warehouse", Key=key, **more)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
                raise
            return False
        return True

    s3 = client(there.store)
    access_key, secret_key = keys.values()
    analyst = client(replace(there.store, access_key=access_key, secret_key=secret_key))
    for folder in ("silver", "bronze"):
        s3.put_object(Bucket="warehouse", Key=f"lake/{folder}/{root}", Body=b"")
    assert bring(spec) == [f"+ user {name}-analyst"]
    assert bring(spec) == []
    assert may(analyst.get_object, f"lake/silver/{root}")
    assert not may(analyst.put_object, f"lake/silver/{root}", Body=b"")
    assert may(analyst.put_object, f"lake/bronze/{root}", Body=b"")
    assert not may(analyst.get_object, f"elsewhere/{root}")
    assert bring(with_access(servers, name, {"lake.silver": ["read"]})) == [f"~ user {name}-analyst"]
    assert not may(analyst.put_object, f"lake/bronze/{root}", Body=b"")
    assert bring(with_buckets(servers, {})) == []  # a lakehouse of another name: not its users
    assert bring(with_access(servers, name, {})) == [f"- user {name}-analyst"]
    assert not may(analyst.get_object, f"lake/silver/{root}")
    assert keys == {}


def with_access(servers: Servers, name: str, grants: dict[str, list[str]]) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": name,
            "buckets": {"warehouse": {}},
            "catalogs": {"lake": {"location": "s3://warehouse/lake", "namespaces": {"silver": {}, "bronze": {}}}},
            "access": {"roles": {"r": {"grants": grants}}, "principals": {"analyst": {"roles": ["r"]}}},
            "stacks": {"local": {"runtime": "process", "store": servers.kind, "catalogs": {"lake": "nessie"}}},
        }
    )
