"""The store itself: it supports what the compatibility matrix says, and buckets get the file's settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
import urllib3

from bootstrap.probe.probe import OPERATIONS, capabilities, probe
from bootstrap.probe.room import PREFIX
from bootstrap.reconciler.plan import render
from bootstrap.remote.connections import Connections
from bootstrap.remote.s3 import client
from lakehouse.kinds import STORES
from lakehouse.spec import Lakehouse
from tests.behaviour.reconciling import make_plan, reconcile
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
    assert capabilities(results) == asdict(STORES[servers.kind].can)
    basic = results[: [each.name for each in OPERATIONS].index("names with spaces, signs and Unicode") + 1]
    assert {each.outcome for each in basic} == {"works"}, basic
    left = [each["Name"] for each in client(there.store).list_buckets()["Buckets"] if each["Name"].startswith(PREFIX)]
    assert left == []


def test_buckets_become_what_the_file_says(servers: Servers, there: Connections, root: str) -> None:
    """Each plan reports what the store does not support, and nothing else is left to do."""
    name = f"{root}-settings"
    stages: list[dict[str, Any]] = [
        {"versioning": True, "noncurrent_days": 3, "expire_days": 9, "access": "public-read"},
        {"versioning": True, "noncurrent_days": 5},
        {},
    ]
    can = STORES[servers.kind].can
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


def test_every_bucket_of_many_takes_an_object(there: Connections, root: str) -> None:
    """SeaweedFS once let the free gigabytes of the disk decide how many buckets could be written to."""
    s3 = client(there.store)
    names = [f"{root}-many-{number}" for number in range(20)]
    for name in names:
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="object", Body=b"content")
    assert {s3.get_object(Bucket=name, Key="object")["Body"].read() for name in names} == {b"content"}
    for name in names:
        s3.delete_object(Bucket=name, Key="object")
        s3.delete_bucket(Bucket=name)


def anonymous(servers: Servers, there: Connections, bucket: str) -> int:
    """The status of a reader without keys."""
    client(there.store).put_object(Bucket=bucket, Key="object", Body=b"content")
    with urllib3.PoolManager(retries=False) as http:
        return int(http.request("GET", f"{servers.store}/{bucket}/object").status)
