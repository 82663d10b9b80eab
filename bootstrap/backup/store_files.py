"""The files in the lakehouse's store: which are there, what they hold; and files put back into it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any

from boto3.s3.transfer import TransferConfig

from bootstrap.backup.plan import LiveFile
from bootstrap.backup.vault import PART
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing
from bootstrap.remote.s3 import client, typed
from lakehouse.spec.claims import parts

_WHOLE = TransferConfig(multipart_threshold=64 * PART, multipart_chunksize=64 * PART)


class StoreFiles:
    """Raises the errors of :mod:`bootstrap.remote.errors`."""

    def __init__(self, connections: Connections) -> None:
        store = connections.store
        self._what, self._parallel = store.endpoint or f"s3.{store.region}.amazonaws.com", connections.parallel
        self._s3 = client(store, patience=connections.patience, parallel=connections.parallel)

    def found(self, addresses: Collection[str], heads: Iterable[str]) -> dict[str, LiveFile]:
        """Those of the addresses that exist. The folders of tables, from their metadata files ``heads``, are listed."""
        folders = {head.rpartition("/metadata/")[0] + "/" for head in heads if "/metadata/" in head}
        outer = [each for each in folders if not any(each != other and each.startswith(other) for other in folders)]
        wanted = {parts(address): address for address in addresses}
        with ThreadPoolExecutor(self._parallel) as pool:
            listings = pool.map(self._listed, outer)
            listed = {parts(at): file for listing in listings for at, file in listing.items()}
            found = {address: listed[at] for at, address in wanted.items() if at in listed}
            rest = [address for address in addresses if address not in found]
            seen = zip(rest, pool.map(self._head, rest), strict=True)
            return {**found, **{address: file for address, file in seen if file is not None}}

    def _listed(self, folder: str) -> dict[str, LiveFile]:
        bucket, *key = parts(folder)
        with typed(self._what):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="/".join(key) + "/")
            return {
                f"s3://{bucket}/{each['Key']}": LiveFile(each["Size"], each["ETag"].strip('"'))
                for page in pages
                for each in page.get("Contents", ())
            }

    def _head(self, address: str) -> LiveFile | None:
        bucket, *key = parts(address)
        try:
            with typed(self._what):
                answer = self._s3.head_object(Bucket=bucket, Key="/".join(key))
        except Missing:
            return None
        return LiveFile(answer["ContentLength"], answer["ETag"].strip('"'))

    @contextmanager
    def opened(self, address: str) -> Iterator[tuple[str, Iterator[bytes]]]:
        """A file's ETag, and its content in parts."""
        bucket, *key = parts(address)
        try:
            with typed(self._what):
                answer = self._s3.get_object(Bucket=bucket, Key="/".join(key))
        except Missing:
            raise Missing(f"{address} does not exist") from None
        with answer["Body"] as body:
            yield answer["ETag"].strip('"'), self._parts(body)

    def _parts(self, body: Any) -> Iterator[bytes]:
        while True:
            with typed(self._what):
                part = body.read(PART)
            if not part:
                return
            yield part

    def digest(self, address: str) -> str:
        """The SHA-256 of a file's content."""
        found = hashlib.sha256()
        with self.opened(address) as (_, content):
            for part in content:
                found.update(part)
        return found.hexdigest()

    def put(self, address: str, content: IO[bytes]) -> None:
        bucket, *key = parts(address)
        with typed(self._what):
            self._s3.upload_fileobj(content, bucket, "/".join(key), Config=_WHOLE)

    def missing_buckets(self, addresses: Iterable[str]) -> list[str]:
        """The buckets of these addresses that do not exist."""
        return [name for name in sorted({parts(each)[0] for each in addresses}) if not self._has(name)]

    def _has(self, bucket: str) -> bool:
        try:
            with typed(self._what):
                self._s3.head_bucket(Bucket=bucket)
        except Missing:
            return False
        return True
