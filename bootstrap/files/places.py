"""Where files come from: a path on this machine, a bucket of the lakehouse, a foreign bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bootstrap.remote.connections import StoreConnection
from bootstrap.remote.s3 import client, typed
from lakehouse.errors import UsageError
from lakehouse.spec.model import Source
from lakehouse.text.profiles import Profile

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class FilePlace(Protocol):
    """A file, or a folder of files. Names are relative to it, with slashes; a single file's is its own."""

    @property
    def address(self) -> str:
        """As the user wrote it."""

    def names(self) -> list[str]:
        """All files, sorted. Raises UsageError if there are none."""

    def fetch(self, name: str, into: Path) -> Path:
        """A path on this machine with the file: below ``into`` if it had to be downloaded."""


@dataclass(frozen=True)
class LocalPlace:
    """A path on this machine."""

    address: str

    def names(self) -> list[str]:
        root = Path(self.address)
        if root.is_file():
            return [root.name]
        found = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()) if root.is_dir() else []
        if not found:
            raise UsageError(f"{self.address}: there is no such file, and no folder with files.")
        return found

    def fetch(self, name: str, into: Path) -> Path:
        root = Path(self.address)
        return root if root.is_file() else root / name


class S3Place:
    """An object, or all objects below a prefix."""

    def __init__(self, address: str, s3: S3Client, endpoint: str) -> None:
        self._address, self._s3, self._endpoint = address, s3, endpoint
        self._bucket, _, self._prefix = address.removeprefix("s3://").partition("/")

    @property
    def address(self) -> str:
        return self._address

    def names(self) -> list[str]:
        folder = self._prefix.rstrip("/") + "/" if self._prefix else ""
        found = []
        with typed(self._endpoint):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
                for each in page.get("Contents", ()):
                    key = each["Key"]
                    if key == self._prefix and not key.endswith("/"):
                        return [key.rpartition("/")[2]]
                    if key.startswith(folder) and not key.endswith("/"):
                        found.append(key.removeprefix(folder))
        if not found:
            raise UsageError(f"{self.address}: there is no such object, and none below it.")
        return sorted(found)

    def fetch(self, name: str, into: Path) -> Path:
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        own = self._prefix.rpartition("/")[2] == name and not self._prefix.endswith("/")
        key = self._prefix if own and self._exists() else f"{self._prefix.rstrip('/')}/{name}".lstrip("/")
        with typed(self._endpoint):
            self._s3.download_file(self._bucket, key, str(path))
        return path

    def _exists(self) -> bool:
        page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        return any(each["Key"] == self._prefix for each in page.get("Contents", ()))


def place(
    address: str, own: StoreConnection, buckets: Mapping[str, object], sources: Mapping[str, Source], file: Path
) -> FilePlace:
    """What the address means in the lakehouse of ``file``. Raises UsageError if the file does not name the bucket.

    A bucket of ``sources`` has its own endpoint and credentials.
    """
    if "://" not in address:
        return LocalPlace(address)
    if not address.startswith("s3://"):
        raise UsageError(f"{address}: a source is a path, or s3://bucket/key.")
    bucket = address.removeprefix("s3://").partition("/")[0]
    if bucket in buckets:
        store = own
    elif bucket in sources:
        store = _connection(sources[bucket], bucket, file)
    else:
        raise UsageError(
            f'{address}: "{bucket}" is neither in `buckets` nor in `sources` of {file.name}. Add a foreign bucket '
            f"as `sources: {{{bucket}: {{endpoint: https://..., credentials: FILE}}}}`."
        )
    return S3Place(address, client(store), store.endpoint or f"s3.{store.region}.amazonaws.com")


def _connection(source: Source, bucket: str, file: Path) -> StoreConnection:
    if source.credentials is None:
        return StoreConnection(endpoint=source.endpoint, region=source.region)
    path = file.parent / Path(source.credentials).expanduser()
    keys = Profile(str(path), source.profile, f"{file.name}: sources.{bucket}.credentials").keys()
    return StoreConnection(
        endpoint=source.endpoint or f"https://s3.{source.region}.amazonaws.com",
        region=source.region,
        access_key=keys[0],
        secret_key=keys[1],
    )
