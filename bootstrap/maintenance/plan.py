"""The steps that a policy requires for a table in its present state, in order, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bootstrap.catalogs.metrics import Found
from lakehouse.spec import Lakehouse
from lakehouse.spec.model import Compact, ExpireSnapshots, Maintenance, RemoveOrphans
from lakehouse.text import sql

Action = Literal["compact", "rewrite manifests", "expire snapshots", "remove metadata", "remove orphans"]
_MIB = 1024 * 1024


@dataclass(frozen=True)
class MaintenanceStep:
    """One thing to do. ``older_than`` is an instant; ``refused`` says why it is not done, empty if it is."""

    action: Action
    why: str
    file_size: int = 0  # bytes
    min_files: int = 0
    older_than: datetime | None = None
    days: int = 0
    retain_last: int = 0
    alone: bool = False  # other branches and tags of the catalog do not count
    location: str = ""  # where the table's files are
    files: tuple[str, ...] = ()  # metadata files
    refused: str = ""


@dataclass(frozen=True)
class Guard:
    """Reasons against deleting files."""

    off: bool = False  # ``gc.enabled`` is false
    shared: str = ""  # who else keeps files in the table's folder, as text
    twin: str = ""  # another name of the same table
    unknown: str = ""  # why it is not known what other branches and tags need


def policies(lakehouse: Lakehouse) -> Iterator[tuple[tuple[str, ...], Maintenance]]:
    """The path in the file of each table with a policy, and the policy: the nearest one, whole."""
    for catalog, content in lakehouse.catalogs.items():
        for namespace, inner in content.namespaces.items():
            for table, definition in inner.tables.items():
                for policy in (definition.maintenance, inner.maintenance, content.maintenance):
                    if policy is not None:
                        yield ("catalogs", catalog, "namespaces", namespace, "tables", table), policy
                        break


def steps(
    policy: Maintenance, found: Found, guard: Guard, now: datetime, superseded: Sequence[str] = ()
) -> tuple[MaintenanceStep, ...]:
    """The necessary steps. Each finds the work of the earlier ones done.

    ``superseded``: metadata files that were replaced before the snapshots of that time expire.
    """
    asked = (
        _compact(policy.compact, found) if policy.compact else None,
        _manifests(found) if policy.rewrite_manifests else None,
        _expire(policy.expire_snapshots, found, policy, guard, now) if policy.expire_snapshots else None,
        _metadata(policy.expire_snapshots, guard, superseded) if policy.expire_snapshots else None,
        _orphans(policy.remove_orphans, found, policy, guard, now) if policy.remove_orphans else None,
    )
    return tuple(step for step in asked if step is not None)


def _compact(asked: Compact, found: Found) -> MaintenanceStep | None:
    metrics = found.metrics
    # Engines rewrite files under three quarters of the target size, and those with deletes.
    small = metrics.files >= asked.min_files and metrics.average_file_bytes * 4 < asked.target_file_size.bytes * 3
    if not small and not metrics.delete_files:
        return None
    why = f"{metrics.files} files of {human(metrics.average_file_bytes)} on average; {asked.target_file_size} is wanted"
    return MaintenanceStep("compact", why, file_size=asked.target_file_size.bytes, min_files=asked.min_files)


def _manifests(found: Found) -> MaintenanceStep | None:
    if found.metrics.manifests < 2:
        return None
    return MaintenanceStep("rewrite manifests", f"{found.metrics.manifests} manifests")


def _expire(
    asked: ExpireSnapshots, found: Found, policy: Maintenance, guard: Guard, now: datetime
) -> MaintenanceStep | None:
    cutoff = now - timedelta(days=asked.older_than_days)
    count = len(expirable(found.metadata, cutoff, asked.retain_last))
    if not count:
        return None
    why = f"{count} of {found.metrics.snapshots} snapshots are older than {asked.older_than_days} days"
    return MaintenanceStep("expire snapshots", why, older_than=cutoff, days=asked.older_than_days,
                retain_last=asked.retain_last, alone=policy.ignore_references, refused=_refused(guard))  # fmt: skip


def _metadata(asked: ExpireSnapshots, guard: Guard, superseded: Sequence[str]) -> MaintenanceStep | None:
    if not superseded:
        return None
    why = f"{len(superseded)} metadata files were replaced more than {asked.older_than_days} days ago"
    return MaintenanceStep("remove metadata", why, days=asked.older_than_days, retain_last=asked.retain_last,
                files=tuple(superseded), refused=_refused(guard))  # fmt: skip


def _orphans(asked: RemoveOrphans, found: Found, policy: Maintenance, guard: Guard, now: datetime) -> MaintenanceStep:
    cutoff = now - timedelta(days=asked.older_than_days)
    why = f"those among {found.metrics.stored_files} files below its location that nothing refers to after"
    refused = _shared(guard) or _refused(guard)
    return MaintenanceStep("remove orphans", f"{why} {asked.older_than_days} days", older_than=cutoff,
                days=asked.older_than_days, location=found.metadata.get("location", ""),
                alone=policy.ignore_references, refused=refused)  # fmt: skip


def _shared(guard: Guard) -> str:
    if not guard.shared:
        return ""
    rule = "what one table does not recognise as its own would be deleted, though it belongs to the other"
    return f"{guard.shared}: {rule}. Copy one of them to its own folder (CREATE TABLE ... AS SELECT), and drop it"


def _refused(guard: Guard) -> str:
    if guard.unknown:
        return guard.unknown
    if guard.twin:
        rule = f"the same table is also registered as {guard.twin}, whose files would be deleted"
        return f"{rule}. Drop one of the two names in an engine, without its files"
    if guard.off:
        fix = "If no other table needs them, set `properties: {gc.enabled: true}` and `lakehouse apply` it"
        return f"its property gc.enabled is false: its files must not be deleted. {fix}"
    return ""


def expirable(metadata: Mapping[str, Any], older_than: datetime, retain_last: int) -> set[int]:
    """Snapshots that expire, by Iceberg's rule: https://iceberg.apache.org/spec/#snapshot-retention-policy.

    On each branch the newest ``retain_last`` stay, and those before them up to the first old one. Snapshots that a tag
    names stay. Snapshots that nothing refers to expire when they are old.
    """
    snapshots = {each["snapshot-id"]: each for each in metadata.get("snapshots", ())}
    cutoff = older_than.timestamp() * 1000
    current = metadata.get("current-snapshot-id")
    references = dict(metadata.get("refs") or {})
    if current in snapshots:
        references.setdefault("main", {"type": "branch", "snapshot-id": current})
    kept: set[int] = set()
    reachable: set[int] = set()
    for reference in references.values():
        at: Any = reference["snapshot-id"]
        if reference["type"] == "tag":
            kept.add(reference["snapshot-id"])
            continue
        least, nth = reference.get("min-snapshots-to-keep", retain_last), 0
        while at in snapshots and (nth < least or snapshots[at]["timestamp-ms"] >= cutoff):
            kept.add(at)
            at, nth = snapshots[at].get("parent-snapshot-id"), nth + 1
        while at in snapshots:
            reachable.add(at)
            at = snapshots[at].get("parent-snapshot-id")
    return {
        number
        for number, each in snapshots.items()
        if number not in kept and (number in reachable or each["timestamp-ms"] < cutoff)
    }


def spark(catalog: str, table: str, step: MaintenanceStep) -> str:
    """The procedure's call. https://iceberg.apache.org/docs/latest/spark-procedures/"""
    name = f"table => {sql.string(sql.path(table.split('.'), 'spark'), 'spark')}"
    call = f"CALL {catalog}.system."
    older = f"older_than => TIMESTAMP '{_utc(step.older_than)}'" if step.older_than else ""
    if step.action == "compact":
        options = f"'target-file-size-bytes', '{step.file_size}', 'min-input-files', '{step.min_files}'"
        return f"{call}rewrite_data_files({name}, options => map({options}))"
    if step.action == "rewrite manifests":
        return f"{call}rewrite_manifests({name})"
    if step.action == "expire snapshots":
        return f"{call}expire_snapshots({name}, {older}, retain_last => {step.retain_last})"
    # Listed through Iceberg's own client of the store: Spark has no file system for s3://.
    # The folder is given explicitly, so that a table that moves in the meantime does not lead the step to another's.
    # The slash keeps it from folders whose names begin in the same way.
    where = f"location => {sql.string(step.location.rstrip('/') + '/', 'spark')}"
    return f"{call}remove_orphan_files({name}, {older}, {where}, prefix_listing => true)"


def trino(catalog: str, table: str, step: MaintenanceStep) -> tuple[str, ...]:
    """The statements of one session. https://trino.io/docs/current/connector/iceberg.html#alter-table-execute"""
    namespace, _, short = table.rpartition(".")
    execute = f"ALTER TABLE {sql.path((catalog, namespace, short), 'trino')} EXECUTE "
    days = f"retention_threshold => '{step.days}d'"
    if step.action == "compact":
        return (f"{execute}optimize(file_size_threshold => '{step.file_size // _MIB}MB')",)
    if step.action == "rewrite manifests":
        return (f"{execute}optimize_manifests",)
    if step.action == "expire snapshots":
        # Trino's own minimum age is a week; the file's value counts here.
        return (
            f"SET SESSION {catalog}.expire_snapshots_min_retention = '{step.days}d'",
            f"{execute}expire_snapshots({days}, retain_last => {step.retain_last})",
        )
    return (
        f"SET SESSION {catalog}.remove_orphan_files_min_retention = '{step.days}d'",
        f"{execute}remove_orphan_files({days})",
    )


def athena(table: str) -> str:
    """The statement that compacts. https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html

    Athena decides by the table's own properties which files it rewrites, not by the policy's sizes.
    """
    return f"OPTIMIZE {sql.path(table.split('.'), 'trino')} REWRITE DATA USING BIN_PACK"


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def human(count: int) -> str:
    """Bytes in readable form: 640 B, 3.2 KiB, 120.0 MiB."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
