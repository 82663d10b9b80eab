"""The calls of :mod:`lakehouse.access.proof`, made for real with each principal's own keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.s3 import client, typed
from lakehouse.access.proof import Call, TableFolder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: The beginning of the test's objects in each folder. They are removed after it, also those of a run that was killed.
NAME = ".lakehouse-access-test-"


@dataclass(frozen=True)
class AccessOutcome:
    """A call, and whether the store allowed it."""

    call: Call
    allowed: bool

    @property
    def right(self) -> bool:
        """Whether the store answered as the file says."""
        return self.allowed == self.call.allowed


def outcomes(
    calls: Sequence[Call], connections: Connections, keys: Callable[[str], tuple[str, str] | None]
) -> Iterator[AccessOutcome]:
    """Make the calls, in their order. ``keys`` are a principal's access key and secret key; None: it reaches nothing.

    Raises the errors of :mod:`bootstrap.remote.errors` if the store does not answer, or its owner may not write.
    """
    store = connections.store
    principals = list(dict.fromkeys(call.principal for call in calls))
    where = list(dict.fromkeys(call.place for call in calls))
    clients = {name: _client(store, pair) for name in principals if (pair := keys(name)) is not None}
    with (
        typed(str(store.endpoint)),
        _objects(client(store), where, principals) as run,
        ThreadPoolExecutor(connections.parallel) as threads,
    ):
        yield from threads.map(lambda call: AccessOutcome(call, _may(clients, call, run)), calls)


def _client(store: StoreConnection, pair: tuple[str, str]) -> S3Client:
    return client(replace(store, access_key=pair[0], secret_key=pair[1]))


def _may(clients: Mapping[str, S3Client], call: Call, run: str) -> bool:
    s3, place = clients.get(call.principal), call.place
    if s3 is None:
        return False
    at: Any = {"Bucket": place.bucket, "Key": _key(place, f"{run}-{call.operation}-{call.principal}")}
    try:
        match call.operation:
            case "list":
                s3.list_objects_v2(Bucket=place.bucket, Prefix=f"{place.key}/", MaxKeys=1)
            case "get":
                s3.get_object(**{**at, "Key": _key(place, run)})
            case "put":
                s3.put_object(**at, Body=b"")
            case "delete":
                s3.delete_object(**at)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (401, 403):
            return False
        raise
    return True


@contextmanager
def _objects(owner: S3Client, where: Sequence[TableFolder], principals: Sequence[str]) -> Iterator[str]:
    """Objects to read and to delete in each folder, for as long as the context lasts. Yields what their names share."""
    run = uuid.uuid4().hex[:8]
    try:
        for place in where:
            for name in (run, *(f"{run}-delete-{principal}" for principal in principals)):
                owner.put_object(Bucket=place.bucket, Key=_key(place, name), Body=b"")
        yield run
    finally:
        for place in where:
            _remove(owner, place)


def _remove(owner: S3Client, place: TableFolder) -> None:
    """Remove what the test has left in a folder, with all versions."""
    pages = owner.get_paginator("list_object_versions").paginate(Bucket=place.bucket, Prefix=_key(place, ""))
    for page in pages:
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            owner.delete_object(Bucket=place.bucket, Key=each["Key"], VersionId=each["VersionId"])


def _key(place: TableFolder, name: str) -> str:
    return f"{place.key}/{NAME}{name}"
