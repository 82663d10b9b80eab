"""The contents of a folder of the store, for new and lost tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing, Refused
from bootstrap.remote.s3 import client, typed

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: The name that the bootstrap gives a table's first metadata file. If it is the only file in a folder, an apply was
#: killed before its commit: there is no such table, and the next apply may use the folder.
_FIRST = re.compile(r"metadata/00000-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.metadata\.json")
_LOOK = 50
_MANY = 8  # of so many folders in one other folder, those that exist are listed together
_BUCKET = 2  # slashes in the address of a bucket
_BLURRED = 2.0  # seconds


class Folders:
    """Folders of one store. Each is listed once. Raises the errors of :mod:`bootstrap.remote.errors`."""

    def __init__(self, connections: Connections) -> None:
        store = connections.store
        self._connections, self._endpoint = connections, store.endpoint or f"s3.{store.region}.amazonaws.com"
        self._empty = lru_cache(maxsize=None)(self._is_empty)
        self._held = lru_cache(maxsize=None)(self._holds)
        self._inside: dict[str, frozenset[str]] = {}  # the folders in a folder, of those that were listed

    @cached_property
    def _client(self) -> S3Client:
        of = self._connections
        return client(of.store, patience=of.patience, parallel=of.parallel)

    def held(self, location: str) -> bool:
        """Whether the folder holds more than the first metadata files of tables that nobody committed.

        If the store does not let us list it, only the claims of live tables are known, and this is False.
        """
        return self._held(location)

    def look(self, locations: Collection[str]) -> None:
        """List many folders at the same time, before :meth:`held` is asked about each of them."""
        if not locations:
            return
        _ = self._client  # made once, before the threads use it
        with ThreadPoolExecutor(self._connections.parallel) as pool:
            self._list_around(locations, pool)
            for _ in pool.map(self._held, locations):
                pass

    def _list_around(self, locations: Collection[str], pool: ThreadPoolExecutor) -> None:
        """List each folder that many of these are in. If many such folders are in another one, that is listed first."""
        around = Counter(each.rpartition("/")[0] for each in locations if each.count("/") > _BUCKET)
        many = {folder: count for folder, count in around.items() if count >= _MANY}
        if not many:
            return
        self._list_around(many, pool)
        self._inside |= {folder: frozenset() for folder in many if self._is_absent(folder)}
        unknown = {folder: count for folder, count in many.items() if folder not in self._inside}
        found = zip(unknown, pool.map(self._folders, unknown, unknown.values()), strict=True)
        self._inside |= {folder: inside for folder, inside in found if inside is not None}

    def _is_absent(self, location: str) -> bool:
        """Whether the list of the folder around it shows that there is no such folder."""
        return location not in self._inside.get(location.rpartition("/")[0], (location,))

    def _folders(self, location: str, most: int) -> frozenset[str] | None:
        """The addresses of folders in a folder; None if that is not allowed, or takes more than ``most`` requests."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{prefix}/" if prefix else "", Delimiter="/"
        )
        found: set[str] = set()
        with suppress(Missing, Refused), typed(self._endpoint):
            for count, page in enumerate(pages, 1):
                if count > most:
                    return None
                found |= {f"s3://{bucket}/{each['Prefix'].rstrip('/')}" for each in page.get("CommonPrefixes", ())}
            return frozenset(found)
        return None

    def _holds(self, location: str) -> bool:
        if self._is_absent(location):
            return False
        bucket, *levels = location.removeprefix("s3://").split("/")
        # From the top, so that thousands of tables in a new catalog or namespace cost one request.
        if any(self._empty(bucket, "/".join(levels[:depth])) for depth in range(1, len(levels))):
            return False
        prefix = "/".join(levels)
        try:
            return not all(_FIRST.fullmatch(key.removeprefix(f"{prefix}/")) for key in self._keys(bucket, prefix))
        except Refused:
            return False

    def latest(self, location: str) -> list[str]:
        """The newest metadata files of the table in the folder: several if names and times do not decide."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        found: list[tuple[int, float, str]] = []
        with suppress(Missing, Refused), typed(self._endpoint):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/metadata/")
            for page in pages:
                for each in page.get("Contents", ()):
                    name = each["Key"].rpartition("/")[2]
                    number = re.match(r"v?(\d+)[-.]", name)
                    if number and ".metadata.json" in name:
                        found.append((int(number[1]), each["LastModified"].timestamp(), f"s3://{bucket}/{each['Key']}"))
        newest = max(found, default=(0, 0.0, ""))
        # A store's times are whole seconds, and not every catalog counts in the name.
        return [at for number, time, at in found if number == newest[0] and time >= newest[1] - _BLURRED]

    def _is_empty(self, bucket: str, prefix: str) -> bool:
        try:
            return not any(True for _ in self._keys(bucket, prefix))
        except Refused:
            return False  # the right to list a table's folder need not include the folders around it

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{prefix}/", PaginationConfig={"PageSize": _LOOK}
        )
        try:
            with typed(self._endpoint):
                for page in pages:
                    # Stores that keep files list folders too, as empty objects whose names end in a slash.
                    yield from (each["Key"] for each in page.get("Contents", ()) if each["Key"][-1] != "/")
        except Missing:
            return  # no bucket yet
