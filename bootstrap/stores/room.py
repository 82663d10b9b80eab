"""Where a probe works: temporary buckets of one store, removed with all that is in them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import urllib3
from botocore import exceptions

from bootstrap.connections import StoreConnection
from bootstrap.errors import Unreachable
from bootstrap.s3 import client
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PREFIX = "lakehouse-probe-"  # so that a bucket that a killed probe left behind tells what it is
_PATIENCE = 20.0  # seconds a request may take


class Wrong(Exception):
    """The store answered, and not as S3 does."""


def expect(right: bool, otherwise: str) -> None:
    """Raises Wrong with what was found instead."""
    if not right:
        raise Wrong(otherwise)


def expect_refusal(call: Callable[[], Any], otherwise: str, *statuses: int) -> None:
    """The call must end with one of these HTTP statuses. Raises Wrong where it succeeds or fails in another way."""
    try:
        call()
    except exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        expect(status in statuses, f"status {status} ({error.response['Error']['Code']}) instead of {statuses[0]}")
    else:
        raise Wrong(otherwise)


@dataclass
class Room:
    """A bucket to work in, the store's client, and further buckets by need."""

    store: StoreConnection
    s3: S3Client
    http: urllib3.PoolManager
    bucket: str
    _further: list[str] = field(default_factory=list)

    def further_bucket(self, **options: Any) -> str:
        """One more bucket, for what would be in the way of other operations; it is removed with the room."""
        name = f"{PREFIX}{secrets.token_hex(5)}"
        self._further.append(name)
        self.s3.create_bucket(Bucket=name, **options)
        return name

    def put(self, key: str, body: bytes = b"content", **options: Any) -> Any:
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **options)

    def read(self, key: str, **options: Any) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key, **options)["Body"].read())

    def as_another(self, **changes: Any) -> S3Client:
        """A client of the same store with other keys."""
        return client(replace(self.store, **changes), patience=_PATIENCE)

    def anonymous(self, bucket: str, key: str) -> int:
        """The status of a GET without keys."""
        return int(self.http.request("GET", f"{self.store.endpoint}/{bucket}/{key}").status)

    def remove(self) -> list[str]:
        """Remove the buckets; returns those that could not be."""
        return [name for name in (*self._further, self.bucket) if not _removed(self.s3, name)]


@contextmanager
def room(store: StoreConnection) -> Iterator[Room]:
    """A room in the store, for as long as the context lasts.

    Raises Unreachable where the store does not answer, LakehouseError where it lets nobody make a bucket, or where the
    room could not be removed.
    """
    s3 = client(store, patience=_PATIENCE)
    bucket = f"{PREFIX}{secrets.token_hex(5)}"
    try:
        s3.create_bucket(Bucket=bucket)
    except exceptions.ClientError as error:
        raise LakehouseError(f"the object store makes no bucket to probe it in: {error}") from None
    except exceptions.BotoCoreError as error:
        raise Unreachable("the object store", str(store.endpoint), type(error).__name__) from None
    http = urllib3.PoolManager(retries=False, timeout=_PATIENCE)
    found = Room(store, s3, http, bucket)
    left: list[str] = []
    try:
        yield found
    finally:
        left = found.remove()
        http.clear()
        s3.close()
    if left:
        raise LakehouseError(f"the probe could not remove its buckets {', '.join(left)}. Remove them by hand.")


def _removed(s3: S3Client, bucket: str) -> bool:
    try:
        for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    except exceptions.ClientError:
        pass  # what cannot be listed cannot be in the way
    try:
        for each in _contents(s3, bucket):
            s3.delete_object(Bucket=bucket, **each)
        s3.delete_bucket(Bucket=bucket)
    except exceptions.ClientError as error:
        return error.response["Error"]["Code"] == "NoSuchBucket"
    except exceptions.BotoCoreError:
        return False
    return True


def _contents(s3: S3Client, bucket: str) -> list[dict[str, Any]]:
    """Every object, every version and every delete marker, as arguments of DeleteObject; the deepest first."""
    found: list[dict[str, Any]] = []
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for kind in (page.get("Versions", []), page.get("DeleteMarkers", [])):
                found += [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in kind]  # type: ignore[index]
    except exceptions.ClientError:
        found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        found += [{"Key": each["Key"]} for each in page.get("Contents", [])]
    return sorted(found, key=lambda each: len(each["Key"]), reverse=True)
