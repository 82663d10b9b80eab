"""Buckets that the file no longer names: two keys, and --purge for their contents."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.reconciler.plan import Plan
from bootstrap.remote.connections import BucketOwner, Connections
from bootstrap.remote.errors import Refused
from bootstrap.remote.s3 import client
from bootstrap.stores.buckets import BucketStore
from lakehouse.runtimes import owner
from lakehouse.spec import Lakehouse
from tests.behaviour.conftest import lakehouse, only
from tests.behaviour.reconciling import apply, make_plan, reconcile
from tests.behaviour.servers import Servers

pytestmark = [pytest.mark.behaviour, pytest.mark.timeout(300)]


@pytest.fixture
def bucket() -> str:
    return f"b{uuid.uuid4().hex[:12]}"


def with_bucket(name: str, **settings: Any) -> Lakehouse:
    return lakehouse({}, buckets={"warehouse": {}, name: settings})


def going(connections: Connections, bucket: str) -> Plan:
    """What an apply with the first key would do about the bucket, of a file that does not name it."""
    return only(make_plan(lakehouse({}), connections, allow_destroy=True), f"bucket {bucket}")


def test_a_bucket_is_deleted_with_two_keys_and_its_contents_with_purge(servers: Servers, bucket: str) -> None:
    connections = servers.connections()
    store = client(connections.store)
    assert reconcile(with_bucket(bucket), connections).exit_code == 0
    assert not going(connections, bucket).steps, "the file never called it deletable"
    marked = with_bucket(bucket, deletable=True)
    assert reconcile(marked, connections).exit_code == 0
    assert not make_plan(marked, connections).steps
    assert not make_plan(lakehouse({}), connections).steps, "one key destroys nothing"
    store.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    [failure] = apply(going(connections, bucket), connections).failed
    assert "is not empty. `--purge`" in failure.message
    assert store.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x"
    assert going(connections, bucket).steps, "the mark is still there"
    assert apply(going(connections, bucket), connections, purge=True).exit_code == 0
    assert bucket not in {each["Name"] for each in store.list_buckets()["Buckets"]}


def test_an_empty_bucket_needs_no_purge(servers: Servers, bucket: str) -> None:
    connections = servers.connections()
    assert reconcile(with_bucket(bucket, deletable=True), connections).exit_code == 0
    assert apply(going(connections, bucket), connections).exit_code == 0
    assert not going(connections, bucket).steps


def test_the_key_can_be_taken_back_and_is_not_another_lakehouses(servers: Servers, bucket: str) -> None:
    connections = servers.connections()
    reconcile(with_bucket(bucket, deletable=True), connections)
    other = lakehouse({}, name="other")
    assert not only(make_plan(other, connections, allow_destroy=True), f"bucket {bucket}").steps
    assert reconcile(with_bucket(bucket), connections).exit_code == 0
    assert not going(connections, bucket).steps


@pytest.mark.parametrize(
    ("failing", "purge"), [("delete_bucket", True), ("delete_bucket", False), ("delete_object", True)]
)
def test_a_bucket_that_stays_keeps_its_mark(
    servers: Servers, bucket: str, monkeypatch: pytest.MonkeyPatch, failing: str, purge: bool
) -> None:
    connections = servers.connections()
    assert reconcile(with_bucket(bucket, deletable=True), connections).exit_code == 0
    store = BucketStore(connections)
    if purge:
        store.client.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    real = getattr(store.client, failing)

    def may_not(**what: Any) -> Any:
        if what.get("Key") == ".lakehouse/deletable":
            return real(**what)
        answer: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, failing)

    with monkeypatch.context() as patched:
        patched.setattr(store.client, failing, may_not)
        with pytest.raises(Refused):
            store.delete(bucket, purge=purge)
    assert going(connections, bucket).steps, "the mark is still there"
    assert apply(going(connections, bucket), connections, purge=purge).exit_code == 0
    assert not going(connections, bucket).steps


def owned_by(connections: Connections, mark: str, unmarked: Path | None = None) -> Connections:
    """The same store, as the lakehouse with that id in its state folder sees it."""
    return replace(connections, owner=BucketOwner(mark, "demo", "local", unmarked))


def test_a_bucket_that_another_made_is_used_and_never_goes(servers: Servers, bucket: str) -> None:
    connections = owned_by(servers.connections(), "0123456789abcdef")
    store = client(connections.store)
    store.create_bucket(Bucket=bucket)
    store.put_object(Bucket=bucket, Key="thesis", Body=b"years of work")
    made = make_plan(with_bucket(bucket, deletable=True), connections)
    [note] = [each for each in made.kept if each.address == f"bucket {bucket}"]
    assert "this lakehouse only uses the bucket" in note.message
    assert reconcile(with_bucket(bucket, deletable=True), connections).exit_code == 0
    assert not going(connections, bucket).steps
    with pytest.raises(Refused, match="was not made by this lakehouse"):
        BucketStore(connections).delete(bucket, purge=True)
    assert store.get_object(Bucket=bucket, Key="thesis")["Body"].read() == b"years of work"
    BucketStore(servers.connections()).delete(bucket, purge=True)


def test_an_own_bucket_is_deleted_and_that_of_a_namesake_stays(servers: Servers, bucket: str) -> None:
    connections = owned_by(servers.connections(), "0123456789abcdef")
    assert reconcile(with_bucket(bucket, deletable=True), connections).exit_code == 0
    namesake = owned_by(servers.connections(), "fedcba9876543210")
    assert not going(namesake, bucket).steps
    assert apply(going(connections, bucket), connections).exit_code == 0


def test_buckets_of_an_earlier_version_are_marked_by_the_first_apply(
    servers: Servers, bucket: str, tmp_path: Path
) -> None:
    assert reconcile(with_bucket(bucket, deletable=True), servers.connections()).exit_code == 0
    owner.write_mark(tmp_path, owner.Owner("demo", "local", "0123456789abcdef", "", "", buckets=False), overwrite=True)
    strange = f"{bucket}x"
    client(servers.connections().store).create_bucket(Bucket=strange)
    former = owned_by(servers.connections(), "0123456789abcdef", tmp_path)
    assert reconcile(with_bucket(bucket, deletable=True), former).exit_code == 0
    found = owner.read(tmp_path)
    assert found is not None
    assert found.buckets
    marked = owned_by(servers.connections(), "0123456789abcdef")
    with pytest.raises(Refused, match="was not made by this lakehouse"):
        BucketStore(marked).delete(strange, purge=True)
    assert apply(going(marked, bucket), marked).exit_code == 0
    BucketStore(servers.connections()).delete(strange, purge=True)
