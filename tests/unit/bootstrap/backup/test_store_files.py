"""What is asked of the store: folders of tables are listed once each, and only the rest file by file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.backup import store_files
from bootstrap.backup.plan import LiveFile
from bootstrap.backup.store_files import StoreFiles
from bootstrap.remote.connections import Connections, StoreConnection
from bootstrap.remote.errors import Missing

HEAD = "s3://w/n/t/metadata/1.metadata.json"
INNER = "s3://w/n/t/inner/metadata/1.metadata.json"


class Store:
    """An S3 client; ``asked`` has the requests for files and folders."""

    def __init__(self, **objects: bytes) -> None:
        self.objects, self.asked = {key.replace("__", "/"): value for key, value in objects.items()}, list[str]()

    def get_paginator(self, name: str) -> Store:
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.asked.append(Prefix)
        for key, content in self.objects.items():  # one object a page
            if f"{Bucket}/{key}".startswith(f"{Bucket}/{Prefix}"):
                yield {"Contents": [{"Key": key, "Size": len(content), "ETag": '"e"'}]}
        yield {}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(Key)
        return {"ContentLength": len(self._found(Key)), "ETag": '"e"'}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": BytesIO(self._found(Key)), "ETag": '"e"'}

    def head_bucket(self, *, Bucket: str) -> None:  # noqa: N803
        if Bucket != "w":
            raise _missing("404")

    def _found(self, key: str) -> bytes:
        if key not in self.objects:
            raise _missing("NoSuchKey")
        return self.objects[key]


def _missing(code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 404}}
    return ClientError(answer, "GetObject")


@pytest.fixture
def store() -> Store:
    return Store(n__t__data__a=b"aa", n__t__inner__data__b=b"b", added__c=b"ccc")


@pytest.fixture
def files(store: Store, monkeypatch: pytest.MonkeyPatch) -> StoreFiles:
    monkeypatch.setattr(store_files, "client", lambda *_, **__: store)
    return StoreFiles(Connections(StoreConnection("http://store:1", "us-east-1"), {}))


def test_a_tables_folder_is_listed_once_and_files_elsewhere_are_asked_for(files: StoreFiles, store: Store) -> None:
    wanted = ["s3://w/n/t/data/a", "s3://w/n/t/inner/data/b", "s3a://w/added/c", "s3://w/gone"]
    assert files.found(wanted, [HEAD, INNER]) == {
        "s3://w/n/t/data/a": LiveFile(2, "e"),
        "s3://w/n/t/inner/data/b": LiveFile(1, "e"),
        "s3a://w/added/c": LiveFile(3, "e"),
    }
    assert store.asked[0] == "n/t/", "the folder in it is in its listing"
    assert sorted(store.asked[1:]) == ["added/c", "gone"]


def test_the_content_comes_in_parts_with_its_digest(files: StoreFiles) -> None:
    assert files.digest("s3://w/n/t/data/a") == hashlib.sha256(b"aa").hexdigest()
    with files.opened("s3://w/added/c") as (etag, parts):
        assert (etag, b"".join(parts)) == ("e", b"ccc")


def test_a_file_that_is_gone_is_named(files: StoreFiles) -> None:
    with pytest.raises(Missing, match="s3://w/gone does not exist"), files.opened("s3://w/gone"):
        pass


def test_buckets_that_are_missing_are_named_once(files: StoreFiles) -> None:
    assert files.missing_buckets(["s3://w/a", "s3://x/a", "s3://x/b"]) == ["x"]
