"""The calls of an access test against moto's double, which allows everything. Real stores: tests/behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Missing, Refused
from bootstrap.remote.s3 import client
from bootstrap.stores import proof
from lakehouse.access.proof import NEEDS, Call, FileOperation, TableFolder

STORE = StoreConnection(None, "us-east-1", "testing", "testing")
HOME = TableFolder("lake", "n", "", "warehouse", "lake/n")
CALLS = [Call(who, what, HOME, who == "a") for who in "ab" for what in NEEDS]


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        made = client(STORE)
        made.create_bucket(Bucket="warehouse")
        made.put_bucket_versioning(Bucket="warehouse", VersioningConfiguration={"Status": "Enabled"})
        yield made


def keys(principal: str) -> tuple[str, str] | None:
    return ("testing", "testing") if principal == "a" else None


def left(s3: Any) -> list[str]:
    found = s3.list_object_versions(Bucket="warehouse")
    return [each["Key"] for each in (*found.get("Versions", ()), *found.get("DeleteMarkers", ()))]


def test_each_call_is_made_and_nothing_is_left(s3: Any) -> None:
    s3.put_object(Bucket="warehouse", Key=f"lake/n/{proof.NAME}of-a-killed-run", Body=b"")
    s3.put_object(Bucket="warehouse", Key="lake/n/theirs", Body=b"")
    found = list(proof.outcomes(CALLS, Connections(STORE, {}), keys))
    assert [each.call for each in found] == CALLS
    assert all(each.right for each in found), "b has no keys, and is granted nothing"
    assert left(s3) == ["lake/n/theirs"]


def test_what_is_allowed_and_not_in_the_file_is_wrong(s3: Any) -> None:
    denied = [Call("a", "put", HOME, False), Call("b", "get", HOME, True)]
    assert [each.right for each in proof.outcomes(denied, Connections(STORE, {}), keys)] == [False, False]


def test_a_bucket_that_is_not_there_is_an_error(s3: Any) -> None:
    elsewhere = [Call("a", "get", TableFolder("lake", "n", "", "nowhere", "n"), True)]
    with pytest.raises(Missing, match="NoSuchBucket"):
        list(proof.outcomes(elsewhere, Connections(STORE, {}), keys))


@pytest.mark.parametrize("operation", NEEDS)
def test_only_a_refusal_is_a_denial(s3: Any, monkeypatch: pytest.MonkeyPatch, operation: FileOperation) -> None:
    """A store that breaks has denied nothing."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            def fail(**_: Any) -> None:
                answer: Any = {"Error": {"Code": "Bad"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
                raise ClientError(answer, name)

            return fail

    monkeypatch.setattr(proof, "_client", lambda *_: Broken())
    with pytest.raises(Refused, match="Bad"):
        list(proof.outcomes([Call("a", operation, HOME, False)], Connections(STORE, {}), keys))
    assert left(s3) == []
