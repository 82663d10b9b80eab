"""The mark on a bucket that says which lakehouse created it: a tag if the store has tags, otherwise an object.

A tag is better, because a lifecycle rule of the bucket would let an object expire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore import exceptions

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

TAG = "lakehouse-owner"
DELETABLE = "lakehouse-deletable"  # of a table bucket, which takes no objects: the lakehouse whose file says so
OBJECT = ".lakehouse/owner"

_NO_TAGS = {"NotImplemented", "501", "MethodNotAllowed", "XNotImplemented"}
_NONE = {"NoSuchTagSet", "NoSuchTagSetError", "NoSuchKey", "404", "AccessDenied", "403"}


def read(client: S3Client, bucket: str) -> str:
    """The bucket's owner; empty if it has no mark or nobody may look."""
    if found := tag(client, bucket, TAG):
        return found
    try:
        return client.get_object(Bucket=bucket, Key=OBJECT)["Body"].read().decode()
    except exceptions.ClientError as error:
        if not _is(error, _NONE):
            raise
        return ""


def tag(client: S3Client, bucket: str, key: str) -> str:
    """The value of a tag of the bucket; empty if it has none or nobody may look."""
    try:
        there = client.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except exceptions.ClientError as error:
        if not _is(error, _NO_TAGS | _NONE):
            raise
        return ""
    return next((each["Value"] for each in there if each["Key"] == key), "")


def write(client: S3Client, bucket: str, owner: str, key: str = TAG) -> None:
    """Mark the bucket. Its other tags stay. Only the mark of its owner can be an object, where tags are lacking."""
    tags: list[Any] = []
    try:
        tags = [tag for tag in client.get_bucket_tagging(Bucket=bucket)["TagSet"] if tag["Key"] != key]
    except exceptions.ClientError as error:
        if not _is(error, _NO_TAGS | _NONE):
            raise
    if owner:
        tags.append({"Key": key, "Value": owner})
    try:
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    except exceptions.ClientError as error:
        if not _is(error, _NO_TAGS):
            raise
        client.put_object(Bucket=bucket, Key=OBJECT, Body=owner.encode())


def _is(error: exceptions.ClientError, codes: set[str]) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return error.response["Error"]["Code"] in codes or (status == 501 and "501" in codes)
