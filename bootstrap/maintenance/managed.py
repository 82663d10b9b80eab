"""Maintenance that AWS does by itself: Glue's table optimizers, or that of S3 Tables. `maintain` sets what it does.

Each service has kinds of maintenance with a value in its own form; none means that it is off.
https://docs.aws.amazon.com/glue/latest/dg/table-optimizers.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-maintenance.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from botocore.exceptions import ClientError

from bootstrap.maintenance import plan, run
from bootstrap.session import aws
from bootstrap.session.connect import connect
from bootstrap.session.target import Target
from lakehouse.access.names import MAINTENANCE, Names
from lakehouse.errors import LakehouseError
from lakehouse.spec import AwsStack, Lakehouse
from lakehouse.spec.model import Maintenance

Value = Mapping[str, Any] | None
_MIB = 1024 * 1024
_TARGET_MB = (64, 512)  # of files that S3 Tables compacts
_MANIFESTS = "{} rewrites no manifests. Remove it from the policy, or call Spark's rewrite_manifests in a job"


@dataclass(frozen=True)
class ManagedSetting:
    """One kind of maintenance of a table, or of a table bucket: what it is, and what the file wants."""

    where: str  # as in the file
    at: tuple[str, ...]  # as the service names it
    kind: str
    wanted: Value
    now: Value = None
    last: str = ""  # how its last run ended
    refused: str = ""

    @property
    def differs(self) -> bool:
        """Whether something must be set."""
        if self.refused:
            return False
        return (self.now is not None) if self.wanted is None else not _within(self.wanted, self.now)


class MaintainedBy(Protocol):
    """What maintains tables by itself."""

    label: str

    def settings(self, where: str, at: tuple[str, ...], policy: Maintenance) -> Iterator[ManagedSetting]:
        """What a policy means there, compared with what is set. Raises LakehouseError if AWS refuses."""

    def put(self, setting: ManagedSetting) -> None:
        """Set it. Raises LakehouseError if AWS refuses."""


class GlueOptimizers:
    """The optimizers of tables in Glue. They run with a role that the stack makes for them."""

    label = "Glue's table optimizers"

    def __init__(self, own: Names) -> None:
        self._own = own
        self._role = own.arn("iam", f"role/{own.role(MAINTENANCE)}", region=False)
        self._client = aws.client("glue", own.region)

    def settings(self, where: str, at: tuple[str, ...], policy: Maintenance) -> Iterator[ManagedSetting]:
        for kind, wanted in _optimizers(policy).items():
            found = self._now(at, kind)
            value: Value = None
            if found.get("configuration", {}).get("enabled"):
                value = {k: v for k, v in found["configuration"].items() if k not in ("roleArn", "enabled")}
            last = found.get("lastRun", {})
            said = ": ".join(each for each in (last.get("eventType", ""), last.get("error", "")) if each)
            yield ManagedSetting(where, at, kind, wanted, value, said)
        if policy.rewrite_manifests:
            yield ManagedSetting(where, at, "manifests", None, refused=_MANIFESTS.format("Glue"))

    def put(self, setting: ManagedSetting) -> None:
        database, table = setting.at
        named = {
            "CatalogId": self._own.account,
            "DatabaseName": database,
            "TableName": table,
            "Type": setting.kind,
        }
        configuration = {"roleArn": self._role, "enabled": setting.wanted is not None, **(setting.wanted or {})}
        there = self._now(setting.at, setting.kind)
        call = self._client.update_table_optimizer if there else self._client.create_table_optimizer
        with _asking(self._own, setting):
            call(**named, TableOptimizerConfiguration=configuration)

    def _now(self, at: tuple[str, ...], kind: str) -> Mapping[str, Any]:
        """The optimizer as it is; empty if the table has none of this kind."""
        try:
            answer = self._client.get_table_optimizer(
                CatalogId=self._own.account, DatabaseName=at[0], TableName=at[1], Type=kind
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return {}
        found: Mapping[str, Any] = answer["TableOptimizer"]
        return found


def _optimizers(policy: Maintenance) -> dict[str, Value]:
    """The sizes of compacted files are the table's own (`write.target-file-size-bytes`), not the policy's."""
    found: dict[str, Value] = {"compaction": None, "retention": None, "orphan_file_deletion": None}
    if policy.compact:
        iceberg: dict[str, Any] = {"strategy": "binpack", "minInputFiles": policy.compact.min_files}
        found["compaction"] = {"compactionConfiguration": {"icebergConfiguration": iceberg}}
    if expire := policy.expire_snapshots:
        iceberg = {
            "snapshotRetentionPeriodInDays": expire.older_than_days,
            "numberOfSnapshotsToRetain": expire.retain_last,
            "cleanExpiredFiles": True,
        }
        found["retention"] = {"retentionConfiguration": {"icebergConfiguration": iceberg}}
    if policy.remove_orphans:
        iceberg = {"orphanFileRetentionPeriodInDays": policy.remove_orphans.older_than_days}
        found["orphan_file_deletion"] = {"orphanFileDeletionConfiguration": {"icebergConfiguration": iceberg}}
    return found


class TableBucketMaintenance:
    """The maintenance of S3 Tables: of each table, and of unreferenced files for all tables of a bucket."""

    label = "S3 Tables"

    def __init__(self, own: Names) -> None:
        self._own = own
        self._client = aws.client("s3tables", own.region)

    def settings(self, where: str, at: tuple[str, ...], policy: Maintenance) -> Iterator[ManagedSetting]:
        bucket, namespace, table = at
        named = {"tableBucketARN": bucket, "namespace": namespace, "name": table}
        now = self._client.get_table_maintenance_configuration(**named)["configuration"]
        runs = self._client.get_table_maintenance_job_status(**named)["status"]
        for kind, wanted in _of_table(policy).items():
            run = runs.get(kind, {})
            said = ": ".join(each for each in (run.get("status", ""), run.get("failureMessage", "")) if each)
            yield ManagedSetting(where, at, kind, wanted, _enabled(now.get(kind)), said, _wrong(wanted))
        if policy.rewrite_manifests:
            yield ManagedSetting(where, at, "manifests", None, refused=_MANIFESTS.format(self.label))

    def of_bucket(self, catalog: str, bucket: str, policies: Sequence[Maintenance]) -> ManagedSetting:
        """What the policies of all tables of a bucket want for it."""
        kind = "icebergUnreferencedFileRemoval"
        asked = {each.remove_orphans.older_than_days if each.remove_orphans else None for each in policies}
        if len(asked) > 1:
            rule = "S3 Tables has one setting for all tables of a bucket, and their policies differ in `remove_orphans`"
            return ManagedSetting(catalog, (bucket,), kind, None, refused=f"{rule}. Write the same in all of them")
        [days] = asked
        now = self._client.get_table_bucket_maintenance_configuration(tableBucketARN=bucket)["configuration"]
        wanted = None if days is None else {kind: {"unreferencedDays": days, "nonCurrentDays": days}}
        return ManagedSetting(catalog, (bucket,), kind, wanted, _enabled(now.get(kind)))

    def put(self, setting: ManagedSetting) -> None:
        value: dict[str, Any] = {"status": "enabled" if setting.wanted else "disabled"}
        if setting.wanted:
            value["settings"] = setting.wanted
        with _asking(self._own, setting):
            if len(setting.at) == 1:
                self._client.put_table_bucket_maintenance_configuration(
                    tableBucketARN=setting.at[0], type=setting.kind, value=value
                )
                return
            bucket, namespace, table = setting.at
            self._client.put_table_maintenance_configuration(
                tableBucketARN=bucket, namespace=namespace, name=table, type=setting.kind, value=value
            )


def _of_table(policy: Maintenance) -> dict[str, Value]:
    found: dict[str, Value] = {"icebergCompaction": None, "icebergSnapshotManagement": None}
    if policy.compact:
        found["icebergCompaction"] = {
            "icebergCompaction": {"targetFileSizeMB": policy.compact.target_file_size.bytes // _MIB}
        }
    if expire := policy.expire_snapshots:
        settings = {"minSnapshotsToKeep": expire.retain_last, "maxSnapshotAgeHours": expire.older_than_days * 24}
        found["icebergSnapshotManagement"] = {"icebergSnapshotManagement": settings}
    return found


def _wrong(wanted: Value) -> str:
    size = (wanted or {}).get("icebergCompaction", {}).get("targetFileSizeMB")
    least, most = _TARGET_MB
    if size is None or least <= size <= most:
        return ""
    return f"S3 Tables writes files of {least} to {most} MiB, and the policy wants {size}. Change target_file_size"


def _enabled(entry: Mapping[str, Any] | None) -> Value:
    """The settings of an entry that is on. Some kinds are on with values of their own until they are turned off."""
    if entry is None or entry.get("status") != "enabled":
        return None
    settings: Mapping[str, Any] = entry.get("settings", {})
    return settings


def service(target: Target, own: Names) -> MaintainedBy | None:
    """What maintains the stack's tables by itself; None if `maintain` has to do it."""
    stack = target.lakehouse.stacks[target.stack]
    if not isinstance(stack, AwsStack):
        return None
    if stack.store_has_tables:
        return TableBucketMaintenance(own)
    return GlueOptimizers(own) if stack.optimizers else None


def settings(target: Target, own: Names, by: MaintainedBy, names: Sequence[str]) -> Iterator[ManagedSetting]:
    """Each setting of the tables that the names select, as :func:`bootstrap.maintenance.run.chosen` does.

    Glue's optimizers of tables that have no policy are turned off; S3 Tables keeps AWS's own values for these.
    """
    lakehouse = target.lakehouse
    tables = isinstance(by, TableBucketMaintenance)
    meant = dict(run.chosen(lakehouse, target.path.name, names))
    if not names and not tables:
        meant = dict.fromkeys(_all(lakehouse), Maintenance()) | meant
    refusals = {} if tables else _guarded(target, meant)
    for path, policy in meant.items():
        where = f"{path[1]}.{path[3]}.{path[5]}"
        for each in by.settings(where, place(lakehouse, own, path, tables=tables), policy):
            why = refusals.get(where, "") if each.kind == "orphan_file_deletion" else ""
            yield replace(each, refused=why) if why and each.wanted else each
    if isinstance(by, TableBucketMaintenance):
        for catalog in dict.fromkeys(path[1] for path in meant):
            policies = {path: policy for path, policy in plan.policies(lakehouse) if path[1] == catalog}
            bucket = place(lakehouse, own, next(iter(policies)), tables=True)[0]
            yield by.of_bucket(catalog, bucket, list(policies.values()))


def _all(lakehouse: Lakehouse) -> Iterator[tuple[str, ...]]:
    for catalog, content in lakehouse.catalogs.items():
        for namespace, inner in content.namespaces.items():
            yield from (("catalogs", catalog, "namespaces", namespace, "tables", table) for table in inner.tables)


def _guarded(target: Target, meant: Mapping[tuple[str, ...], Maintenance]) -> dict[str, str]:
    """Tables whose orphans may not be deleted, and why: another table keeps files in their folder, and the like."""
    if not any(each.remove_orphans for each in meant.values()):
        return {}
    lakehouse, connections = connect(target.path, target.stack)
    work = run.prepare(lakehouse, connections, meant, run.today())
    return {each.name: step.refused for each in work for step in each.steps if step.action == "remove orphans"}


def place(lakehouse: Lakehouse, own: Names, path: Sequence[str], *, tables: bool) -> tuple[str, ...]:
    """How the service names a table, whose path in the file is that of :func:`bootstrap.maintenance.plan.policies`."""
    _, catalog, _, namespace, _, table = path
    if not tables:
        return own.database(namespace), table
    bucket = own.table_bucket(lakehouse.catalogs[catalog].location.bucket)
    return own.arn("s3tables", f"bucket/{bucket}"), namespace, table


def text(settings: Sequence[ManagedSetting]) -> Iterator[str]:
    """A line for each setting: what the file wants, whether it is so, and how its last run ended."""
    for each in settings:
        if each.refused:
            continue
        state = "to be set" if each.differs else "set"
        wanted = "off" if each.wanted is None else "on"
        yield f"{each.where}: {each.kind} {wanted}, {state}{f'; last run: {each.last}' if each.last else ''}"


def _within(wanted: Mapping[str, Any], now: Any) -> bool:
    """Whether what is set has all that is wanted; the service adds values of its own."""
    if not isinstance(now, Mapping):
        return False
    return all(
        _within(value, now.get(key)) if isinstance(value, Mapping) else now.get(key) == value
        for key, value in wanted.items()
    )


@contextmanager
def _asking(own: Names, setting: ManagedSetting) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise LakehouseError(f"{setting.where}: {setting.kind} in stacks.{own.stack}: {error}") from None
