"""The object store: private, encrypted, versioned buckets, or S3 Tables buckets for the contents of catalogs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lakehouse.access.names import Names
from lakehouse.access.policy import tls_only
from lakehouse.cdk import Construct, Declared, resource
from lakehouse.spec import Bucket, Lakehouse
from lakehouse.spec.aws import ACCESS_LOGS

KEPT_DAYS = 30  # for so long a deleted or overwritten object can be restored
LOG_DAYS = 365
_ACCEPTED = {
    "CKV_AWS_144": "the file names one region; versions restore deleted objects, and a copy would double the cost",
    "CKV2_AWS_62": "nothing uses a bucket's events: Iceberg's metadata shows what is new",
}
RESULT_DAYS = 7


class AwsStore(Construct):
    """The lakehouse's buckets, and one for their access logs.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """

    def __init__(self, scope: Construct, name: str, *, names: Names, key: str, allow_destroy: bool) -> None:
        super().__init__(scope, name)
        self._names = names
        self._key = key
        self._allow_destroy = allow_destroy
        self.buckets: dict[str, Declared] = {}
        self.ready: list[Declared] = []  # resources that must exist before the buckets are written to
        self.parts: list[Declared] = []  # buckets and the resources that protect them
        # No entry makes access logs deletable. They are destroyed with the stack if no bucket is protected any more.
        self._logs = _SimpleBucket(
            self,
            ACCESS_LOGS,
            called=names.bucket(ACCESS_LOGS),
            key=None,
            rules=[_tidy(), _expire(LOG_DAYS), _replaced(1)],
            policy=[_log_delivery(names)],
            deletable=allow_destroy,
        )

    def add(self, name: str, bucket: Bucket) -> Declared:
        """A bucket of lakehouse.yaml. Without ``versioning``, replaced and deleted versions are kept for 30 days.

        This is so for objects that ``expire_days`` deletes, too: S3 applies the rule that ends a version first.
        """
        rules = [_tidy()]
        days = bucket.noncurrent_days if bucket.versioning else KEPT_DAYS
        if days is not None:
            rules.append(_replaced(days))
        if bucket.expire_days is not None:
            rules.append(_expire(bucket.expire_days))
        elif days is not None:  # what a deleted object leaves when its versions have ended; `_expire` does it, too
            rules.append(_markers())
        return self._add(name, rules, deletable=bucket.deletable and self._allow_destroy)

    def add_results(self, name: str) -> Declared:
        """A bucket for results of queries. It is deletable, because they can be computed again.

        A table would be deleted with the results, so none is created in it. Athena puts one there that has no location:
        https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html
        """
        no_tables = {
            "Sid": "NoTables",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": self._names.s3(name, "*/tables/*"),
        }
        rules = [_tidy(), _replaced(1), _expire(RESULT_DAYS)]
        return self._add(name, rules, deletable=self._allow_destroy, policy=[no_tables])

    def add_software(self, name: str) -> Declared:
        """A bucket for what instances make themselves of. It is deletable, because a deploy fills it again."""
        return self._add(name, [_tidy(), _replaced(KEPT_DAYS), _markers()], deletable=self._allow_destroy)

    def add_sources(self, name: str) -> Declared:
        """A bucket for the sources of builds. It is deletable, because a deploy makes them again."""
        return self._add(name, [_tidy(), _replaced(KEPT_DAYS), _markers()], deletable=self._allow_destroy)

    def _add(
        self, name: str, rules: list[dict[str, Any]], *, deletable: bool, policy: Sequence[dict[str, Any]] = ()
    ) -> Declared:
        whole = _SimpleBucket(
            self,
            name,
            called=self._names.bucket(name),
            key=self._key,
            rules=rules,
            policy=list(policy),
            deletable=deletable,
        )
        self.ready += whole.ready
        made = whole.bucket
        logging = resource(
            self,
            f"{name}-logging",
            "aws_s3_bucket_logging",
            bucket=made.ref("id"),
            target_bucket=self._logs.bucket.ref("id"),
            target_prefix=f"{name}/",
            needs=[self._logs.policy],  # it lets S3 deliver logs
        )
        self.parts += [*whole.parts, logging]
        self.buckets[name] = made
        return made


class _SimpleBucket(Construct):
    """A bucket with the settings of every bucket."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        called: str,
        key: str | None,
        rules: list[dict[str, Any]],
        policy: list[dict[str, Any]],
        deletable: bool,
    ) -> None:
        super().__init__(scope, name)
        self.bucket = resource(
            self,
            "bucket",
            "aws_s3_bucket",
            bucket=called,
            force_destroy=deletable,
            lifecycle=None if deletable else {"prevent_destroy": True},
            accepted=_ACCEPTED
            if key
            else {**_ACCEPTED, "CKV_AWS_145": "S3 delivers access logs only with its own key"},
        )
        of = self.bucket.ref("id")
        access = resource(
            self,
            "access",
            "aws_s3_bucket_public_access_block",
            bucket=of,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        ownership = resource(
            self,
            "ownership",
            "aws_s3_bucket_ownership_controls",
            bucket=of,
            rule={"object_ownership": "BucketOwnerEnforced"},
        )
        versioning = resource(
            self,
            "versioning",
            "aws_s3_bucket_versioning",
            bucket=of,
            versioning_configuration={"status": "Enabled"},
        )
        # S3 delivers access logs only to buckets without a key of the account.
        how = {"sse_algorithm": "aws:kms", "kms_master_key_id": key} if key else {"sse_algorithm": "AES256"}
        encryption = resource(
            self,
            "encryption",
            "aws_s3_bucket_server_side_encryption_configuration",
            bucket=of,
            rule=[{"apply_server_side_encryption_by_default": how, "bucket_key_enabled": key is not None}],
        )
        lifecycle = resource(
            self,
            "lifecycle",
            "aws_s3_bucket_lifecycle_configuration",
            bucket=of,
            rule=rules,
            needs=[versioning],  # rules for replaced versions need a bucket that keeps them
            accepted={"CKV_AWS_300": "each rule applies to all objects, but the check reads its empty filter as one"},
        )
        arn = self.bucket.ref("arn")
        self.policy = resource(
            self,
            "policy",
            "aws_s3_bucket_policy",
            bucket=of,
            needs=[access],  # S3 refuses two simultaneous changes of a bucket's access
            policy=json.dumps({"Version": "2012-10-17", "Statement": [tls_only(arn), *policy]}),
            accepted={"CKV_AWS_93": "it denies one folder to everybody, and locks nobody out of the bucket"}
            if any(each["Effect"] == "Deny" for each in policy)
            else None,
        )
        self.ready = [versioning, encryption, self.policy]
        self.parts = [self.bucket, access, ownership, lifecycle, *self.ready]


class TableStore(Construct):
    """S3 Tables buckets, which compact and expire tables by themselves, with the lakehouse's namespaces.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables.html
    """

    def __init__(
        self, scope: Construct, name: str, *, names: Names, key: str, lakehouse: Lakehouse, allow_destroy: bool
    ) -> None:
        super().__init__(scope, name)
        self.buckets: dict[str, Declared] = {}
        self.namespaces: list[Declared] = []
        for bucket in table_buckets(lakehouse):
            deletable = lakehouse.buckets[bucket].deletable and allow_destroy
            self.buckets[bucket] = resource(
                self,
                bucket,
                "aws_s3tables_table_bucket",
                name=names.table_bucket(bucket),
                encryption_configuration={"sse_algorithm": "aws:kms", "kms_key_arn": key},
                force_destroy=deletable,
                lifecycle=None if deletable else {"prevent_destroy": True},
            )
        for catalog, content in lakehouse.catalogs.items():
            for namespace, inner in content.namespaces.items():
                self.namespaces.append(
                    resource(
                        self,
                        f"{catalog}_{namespace}",
                        "aws_s3tables_namespace",
                        namespace=namespace,
                        table_bucket_arn=self.buckets[content.location.bucket].ref("arn"),
                        lifecycle=None if inner.deletable and allow_destroy else {"prevent_destroy": True},
                    )
                )


def table_buckets(lakehouse: Lakehouse) -> list[str]:
    """The buckets of catalogs. With S3 Tables these are table buckets, and the others are ordinary buckets."""
    return list(dict.fromkeys(each.location.bucket for each in lakehouse.catalogs.values()))


def _rule(name: str) -> dict[str, Any]:
    return {"id": name, "status": "Enabled", "filter": [{}]}


def _tidy() -> dict[str, Any]:
    return {**_rule("unfinished"), "abort_incomplete_multipart_upload": [{"days_after_initiation": 7}]}


def _replaced(days: int) -> dict[str, Any]:
    return {**_rule("replaced"), "noncurrent_version_expiration": [{"noncurrent_days": days}]}


def _markers() -> dict[str, Any]:
    return {**_rule("markers"), "expiration": [{"expired_object_delete_marker": True}]}


def _expire(days: int) -> dict[str, Any]:
    return {**_rule("expire"), "expiration": [{"days": days}]}


def _log_delivery(names: Names) -> dict[str, Any]:
    return {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": names.s3(ACCESS_LOGS, "*"),
        "Condition": {"StringEquals": {"aws:SourceAccount": names.account}},
    }
