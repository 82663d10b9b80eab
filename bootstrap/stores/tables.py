"""Table buckets, each of which is an Iceberg catalog: made by the API of S3 Tables, or in AIStor as warehouses.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_S3_Tables.html,
https://docs.min.io/aistor/developers/aistor-tables/aistor-tables-api-future/
"""

from __future__ import annotations

from functools import cached_property

from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing
from bootstrap.remote.http import Http
from bootstrap.remote.s3 import s3tables, typed
from lakehouse.kinds import CATALOGS


class TableBuckets:
    """The table buckets of a store. ``name in`` this: the file has a catalog in a table bucket of that name."""

    def __init__(self, connections: Connections) -> None:
        every = connections.catalogs.values()
        self._named = {each.warehouse: each for each in every if CATALOGS[each.kind].in_store}
        self._connections, self._endpoint = connections, str(connections.store.endpoint)
        self._has_api = connections.store.has_tables

    def __contains__(self, name: str) -> bool:
        return name in self._named

    @cached_property
    def present(self) -> dict[str, str] | None:
        """The ARN of each table bucket that exists; None if the store does not list them."""
        if not self._has_api:
            return None
        with typed(self._endpoint):
            pages = s3tables(self._connections.store).get_paginator("list_table_buckets").paginate()
            return {each["name"]: each["arn"] for page in pages for each in page.get("tableBuckets") or ()}

    def unfit(self, name: str) -> str:
        """Why an existing bucket cannot be used as the file says; empty if it can."""
        if self.present is None or (name in self) == (name in self.present):
            return ""
        if name in self:
            return "it is an ordinary bucket, and its catalog needs a table bucket. Remove it, or name another bucket"
        return "it is a table bucket, which takes no files of others. Name another bucket"

    def create(self, name: str) -> None:
        """Create one that the file names. Raises Refused or Exists if there is a bucket of that name."""
        at = self._named[name]
        if at.api:
            Http(f"bucket {name}", at.api, auth=at.auth, patience=self._connections.patience).post("", {"name": name})
        else:
            with typed(self._endpoint):
                s3tables(self._connections.store).create_table_bucket(name=name)

    def delete(self, name: str) -> None:
        """Delete one. Raises Refused if it has namespaces, Missing if it is not there."""
        arn = (self.present or {}).get(name)
        if arn is None:
            raise Missing(f"there is no table bucket {name}")
        with typed(self._endpoint):
            s3tables(self._connections.store).delete_table_bucket(tableBucketARN=arn)
