"""Buckets, through boto3. https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/s3.html"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore import exceptions

from bootstrap.iceberg.metadata import BucketFacts
from bootstrap.remote.connections import Connections
from bootstrap.remote.errors import Missing, Refused
from bootstrap.remote.s3 import Lacking, client, typed
from bootstrap.stores import lifecycle, owners, policies
from bootstrap.stores.tables import TableBuckets
from lakehouse.runtimes.owner import buckets_marked

#: An object with the name of the lakehouse whose file declared the bucket deletable: few stores have bucket tags.
_MARK = ".lakehouse/deletable"


class BucketStore:
    """The object store's buckets."""

    def __init__(self, connections: Connections) -> None:
        store = connections.store
        self.endpoint = store.endpoint or f"s3.{store.region}.amazonaws.com"
        self.owner = connections.owner
        self.region, self.custom, self.parallel = store.region, store.endpoint is not None, connections.parallel
        self.client = client(store, patience=connections.patience, parallel=connections.parallel)
        self.tables = TableBuckets(connections)

    def facts(self, buckets: Collection[str], owner: str | None = None) -> dict[str, BucketFacts]:
        """Facts of those given buckets that exist; with ``owner`` also of others that its file declared deletable."""
        with typed(self.endpoint):
            present = {bucket["Name"] for bucket in self.client.list_buckets()["Buckets"]}
        wanted = [name for name in buckets if name in present]
        others = sorted(present - set(wanted)) if owner is not None else []
        with ThreadPoolExecutor(self.parallel) as pool:
            facts = dict(zip(wanted, pool.map(self._bucket, wanted), strict=True))
            marks = zip(others, pool.map(self._owner, others), strict=True)
            return facts | {
                name: BucketFacts(None, None, False, mark, owned=self._owned(name))
                for name, mark in marks
                if mark == owner
            }

    def adopt(self, buckets: Collection[str], deletable_of: str) -> None:
        """Mark once what an earlier version made: the file's buckets, and those that its file called deletable."""
        if self.owner is None or self.owner.unmarked is None:
            return
        with typed(self.endpoint):
            present = [bucket["Name"] for bucket in self.client.list_buckets()["Buckets"]]
            for name in present:
                if (name in buckets or self._owner(name) == deletable_of) and not owners.read(self.client, name):
                    owners.write(self.client, name, str(self.owner))
        buckets_marked(self.owner.unmarked)

    def _owned(self, bucket: str) -> bool:
        """Whether the bucket may be emptied and deleted: one that this lakehouse has made."""
        if self.owner is None or self.owner.unmarked is not None:
            return True  # marked by the first apply
        with typed(self.endpoint):
            return bool(self.owner.id) and owners.read(self.client, bucket).partition(" ")[0] == self.owner.id

    def _sign(self, bucket: str) -> None:
        if self.owner is not None and self.owner.id:
            with typed(self.endpoint):
                owners.write(self.client, bucket, str(self.owner))

    def _owner(self, bucket: str) -> str | None:
        """The name of the lakehouse whose file declared the bucket deletable; None also if we may not look."""
        try:
            with typed(self.endpoint):
                return self.client.get_object(Bucket=bucket, Key=_MARK)["Body"].read().decode()
        except Missing:
            return None
        except Refused:  # so does a table bucket
            with typed(self.endpoint):
                return owners.tag(self.client, bucket, owners.DELETABLE) or None

    def _bucket(self, name: str) -> BucketFacts:
        versioning: bool | None = None
        days: dict[str, int] = {}
        rules, access = True, None
        try:
            with typed(self.endpoint):
                versioning = self.client.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
        except Lacking:
            pass
        try:
            with typed(self.endpoint):
                days = lifecycle.days(self.client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"])
        except Lacking:
            rules = False
        except Missing:
            pass
        with suppress(Lacking):
            access = "public-read" if policies.is_public(self._policy(name)) else "private"
        return BucketFacts(
            versioning,
            days.get("expire_days"),
            rules,
            self._owner(name),
            days.get("noncurrent_days"),
            access,
            self._owned(name),
            self.tables.unfit(name),
        )

    def create(self, name: str, settings: Mapping[str, Any]) -> list[str]:
        """Create the bucket; returns which of ``settings`` the store does not support."""
        if name in self.tables:
            self.tables.create(name)
        else:
            self._create(name)
        self._sign(name)
        return self.update(name, {key: value for key, value in settings.items() if value and value != "private"})

    def _create(self, name: str) -> None:
        with typed(self.endpoint):
            if self.custom or self.region == "us-east-1":
                self.client.create_bucket(Bucket=name)
            else:
                where: Any = {"LocationConstraint": self.region}
                self.client.create_bucket(Bucket=name, CreateBucketConfiguration=where)

    def update(self, name: str, settings: Mapping[str, Any]) -> list[str]:
        """Set the bucket's settings to these. Returns which of them the store does not support."""
        return [key for key, value in settings.items() if not self._set(name, key, value)]

    def delete(self, name: str, *, purge: bool) -> None:
        """Delete the bucket; ``purge`` deletes its contents too. Otherwise, raises Refused if it has contents.

        The mark is deleted last, and put back if the bucket stays, so that a later apply may continue.
        """
        if not self._owned(name):
            raise Refused(f"bucket {name} was not made by this lakehouse: it is neither emptied nor deleted")
        if name in (self.tables.present or ()):
            self.tables.delete(name)
            return
        for key, version in self._held(name):
            if key not in (_MARK, owners.OBJECT):
                if not purge:
                    raise Refused(f"bucket {name} is not empty. `--purge` deletes it with everything in it")
                self._delete(name, key, version)
        owner = self._owner(name)
        try:
            for mark in (_MARK, owners.OBJECT):
                for key, version in self._held(name, mark):
                    self._delete(name, key, version)
            with typed(self.endpoint):
                self.client.delete_bucket(Bucket=name)
        except Exception:
            with suppress(exceptions.ClientError, exceptions.BotoCoreError):
                if owner is not None:
                    self._mark(name, owner)
                self._sign(name)
            raise

    def _held(self, name: str, prefix: str = "") -> Iterator[tuple[str, str | None]]:
        """Keys in the bucket, each with None; then each version of a key, and each delete marker, with its id."""
        with typed(self.endpoint):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix):
                yield from ((each["Key"], None) for each in page.get("Contents", ()))
        with suppress(Lacking), typed(self.endpoint):
            for versions in self.client.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix):
                for each in (*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())):
                    yield each["Key"], each["VersionId"]

    def _delete(self, bucket: str, key: str, version: str | None) -> None:
        with typed(self.endpoint):
            if version is None:
                self.client.delete_object(Bucket=bucket, Key=key)
            else:
                self.client.delete_object(Bucket=bucket, Key=key, VersionId=version)

    def _set(self, name: str, key: str, value: Any) -> bool:
        try:
            with typed(self.endpoint):
                if key == "deletable":
                    self._mark(name, value)
                elif key == "versioning":
                    status: Any = {"Status": "Enabled" if value else "Suspended"}
                    self.client.put_bucket_versioning(Bucket=name, VersioningConfiguration=status)
                elif key == "access":
                    self._open(name, public=value == "public-read")
                else:
                    self._expire(name, key, value)
        except Lacking:
            return False
        return True

    def _mark(self, name: str, owner: str | None) -> None:
        if name in self.tables:  # it takes no objects but those of its tables
            owners.write(self.client, name, owner or "", owners.DELETABLE)
        elif owner is None:
            self.client.delete_object(Bucket=name, Key=_MARK)
        else:
            self.client.put_object(Bucket=name, Key=_MARK, Body=owner.encode())

    def _expire(self, name: str, key: str, days: int | None) -> None:
        try:
            with typed(self.endpoint):
                rules: list[Any] = list(self.client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"])
        except Missing:
            rules = []
        rules = lifecycle.with_days(rules, key, days)
        if rules:
            self.client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        else:
            self.client.delete_bucket_lifecycle(Bucket=name)

    def _policy(self, name: str) -> str | None:
        try:
            with typed(self.endpoint):
                return str(self.client.get_bucket_policy(Bucket=name)["Policy"])
        except Missing:
            return None

    def _open(self, name: str, *, public: bool) -> None:
        policy = policies.with_public(self._policy(name), name, public=public)
        if policy is None:
            self.client.delete_bucket_policy(Bucket=name)
        else:
            self.client.put_bucket_policy(Bucket=name, Policy=policy)
