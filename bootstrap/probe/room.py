"""Where a probe works: temporary buckets of one store, removed with everything in them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import urllib3
from botocore import exceptions

from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.errors import Unreachable
from bootstrap.remote.s3 import client
from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PREFIX = "lakehouse-probe-"  # shows where a bucket that a killed probe left behind came from
PATIENCE = 10.0  # seconds a request may take


class Wrong(Exception):
    """The store answered, but not as S3 does."""


def code(error: exceptions.ClientError) -> str:
    """The HTTP status and S3's code, as far as the answer has them."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "no status")
    return f"{status} {error.response.get('Error', {}).get('Code', '')}".strip()


def expect(right: bool, otherwise: str) -> None:
    """Raises Wrong with the text ``otherwise`` if the answer is not ``right``."""
    if not right:
        raise Wrong(otherwise)


def expect_refusal(call: Callable[[], Any], otherwise: str, *statuses: int) -> None:
    """The call must end with one of these HTTP statuses. Raises Wrong if it succeeds or fails in another way."""
    try:
        call()
    except exceptions.ClientError as error:
        right = error.response["ResponseMetadata"]["HTTPStatusCode"] in statuses
        expect(right, f"refused by {code(error)} instead of {statuses[0]}")
    else:
        raise Wrong(otherwise)


@dataclass
class ProbeRoom:
    """A bucket to work in, the store's client, and further buckets as needed."""

    store: StoreConnection
    s3: S3Client
    http: urllib3.PoolManager
    bucket: str
    _further: list[str] = field(default_factory=list)

    def further_bucket(self, **options: Any) -> str:
        """One more bucket, for operations that would disturb others; it is removed with the room."""
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
        return _client(replace(self.store, **changes))

    def anonymous(self, bucket: str, key: str) -> int:
        """The status of a GET without keys."""
        return int(self.http.request("GET", f"{self.store.endpoint}/{bucket}/{key}").status)

    def remove(self) -> list[str]:
        """Remove the buckets. Returns those that could not be removed."""
        return [name for name in (*self._further, self.bucket) if not _removed(self.s3, name)]


@contextmanager
def room(store: StoreConnection) -> Iterator[ProbeRoom]:
    """A room in the store, for as long as the context lasts.

    Raises Unreachable if the store does not answer, LakehouseError if nobody may create a bucket, or if the room
    could not be removed.
    """
    s3 = _client(store)
    bucket = f"{PREFIX}{secrets.token_hex(5)}"
    try:
        s3.create_bucket(Bucket=bucket)
    except exceptions.ClientError as error:
        raise LakehouseError(f"the object store makes no bucket to probe it in: {error}") from None
    except exceptions.BotoCoreError as error:
        raise Unreachable("the object store", str(store.endpoint), type(error).__name__) from None
    http = urllib3.PoolManager(retries=False, timeout=PATIENCE, ca_certs=store.trust)
    found = ProbeRoom(store, s3, http, bucket)
    left: list[str] = []
    try:
        yield found
    finally:
        left = found.remove()
        http.clear()
        s3.close()
    if left:
        raise LakehouseError(f"the probe could not remove its buckets {', '.join(left)}. Remove them by hand.")


def _client(store: StoreConnection) -> S3Client:
    """Each request is sent once: it is worth knowing if something works only at the second attempt."""
    return client(store, patience=PATIENCE, attempts=1)


def _removed(s3: S3Client, bucket: str) -> bool:
    for clear in (_abort_uploads, _delete_versions, _delete_objects):
        try:
            clear(s3, bucket)
        except exceptions.ClientError:
            continue  # a store that cannot list them has none
        except exceptions.BotoCoreError:
            return False
    try:
        s3.delete_bucket(Bucket=bucket)
    except exceptions.ClientError as error:
        return error.response["Error"]["Code"] == "NoSuchBucket"
    except exceptions.BotoCoreError:
        return False
    return True


def _abort_uploads(s3: S3Client, bucket: str) -> None:
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _delete_versions(s3: S3Client, bucket: str) -> None:
    """Versions and delete markers; without their ids, deleting would add markers."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def _delete_objects(s3: S3Client, bucket: str) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    for key in sorted(keys, key=len, reverse=True):  # on a file system, a folder after what is in it
        s3.delete_object(Bucket=bucket, Key=key)
