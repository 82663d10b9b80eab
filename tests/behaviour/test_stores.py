"""The store itself: it can do what the compatibility matrix says, and buckets become what the file says."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from bootstrap.connections import Connections
from bootstrap.reconciler.plan import render
from bootstrap.reconciler.reconcile import make_plan, reconcile
from bootstrap.s3 import client
from bootstrap.stores import users
from bootstrap.stores.probe import OPERATIONS, capabilities, probe
from bootstrap.stores.room import PREFIX
from lakehouse.spec import Lakehouse
from lakehouse.spec.matrix import STORES
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(900)]


def with_buckets(servers: Servers, buckets: dict[str, Any]) -> Lakehouse:
    return Lakehouse.model_validate(
        {
            "name": "behaviour",
            "buckets": {"warehouse": {}, **buckets},
            "catalogs": {"lake": {"location": "s3://warehouse/lake"}},
            "stacks": {"local": {"runtime": "process", "store": servers.kind, "catalogs": {"lake": "nessie"}}},
        }
    )


@pytest.fixture
def there(servers: Servers) -> Connections:
    return servers.connections()


def test_the_matrix_says_what_the_store_can_do(servers: Servers, there: Connections) -> None:
    results = list(probe(there.store))
    assert [each.operation for each in results] == [each.name for each in OPERATIONS]
    assert capabilities(results) == asdict(STORES[servers.kind])
    basic = results[: [each.name for each in OPERATIONS].index("names with spaces, signs and Unicode") + 1]
    assert {each.outcome for each in basic} == {"works"}, basic
    left = [each["Name"] for each in client(there.store).list_buckets()["Buckets"] if each["Name"].startswith(PREFIX)]
    assert left == []


def test_buckets_become_what_the_file_says(servers: Servers, there: Connections, root: str) -> None:
    """What the store lacks, the plan says each time; nothing is left to do beyond it."""
    name = f"{root}-settings"
    stages: list[dict[str, Any]] = [
        {"versioning": True, "noncurrent_days": 3, "expire_days": 9, "access": "public-read"},
        {"versioning": True, "noncurrent_days": 5},
        {},
    ]
    can = STORES[servers.kind]
    if not can.versioning:  # the rest is refused before anything is sent, by lakehouse.spec.stores
        stages = [{"expire_days": 9}, {}]
    for wanted in stages:
        reconcile(with_buckets(servers, {name: wanted}), there)
        left = make_plan(with_buckets(servers, {name: wanted}), there)
        assert not left.steps, list(render(left))
        said = [note for note in left.kept if name in note.address]  # other tests leave things of their own
        assert len(said) == (0 if can.lifecycle else len(wanted))
        if can.policies:
            assert anonymous(servers, there, name) == (200 if "access" in wanted else 403)
    if can.lifecycle:
        s3 = client(there.store)
        with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
            s3.get_bucket_lifecycle_configuration(Bucket=name)


def anonymous(servers: Servers, there: Connections, bucket: str) -> int:
    """The status of a reader without keys."""
    client(there.store).put_object(Bucket=bucket, Key="object", Body=b"content")
    with urllib3.PoolManager(retries=False) as http:
        return int(http.request("GET", f"{servers.store}/{bucket}/object").status)


def test_rules_and_policies_of_others_stay(servers: Servers, there: Connections, root: str) -> None:
    if not STORES[servers.kind].policies:
        pytest.skip(f"{servers.kind} has neither rules nor policies")
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


def test_users_reach_what_their_roles_grant_and_no_more(servers: Servers, there: Connections, root: str) -> None:
    if servers.kind not in users.KINDS:
        pytest.skip(f"{servers.kind} has no users")
    name = f"l{root}"[:20]
    spec = with_access(servers, name, {"lake.silver": ["read"], "lake.bronze": ["write"]})
    reconcile(spec, there)
    keys = {f"{name}-analyst-access-key": secrets.token_hex(20), f"{name}-analyst-secret-key": secrets.token_hex(20)}
    admin = users.Users(there.store)

    def bring(wanted: Lakehouse) -> list[str]:
        found = users.changes(users.wanted(wanted), admin.facts(wanted.name))
        for change in found:
            admin.carry_out(change, keys.__getitem__)
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
