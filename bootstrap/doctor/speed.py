"""What makes queries slow or fail: many small files, large metadata, too little memory. Only decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lakehouse.runtimes.findings import Finding, ok, warning

if TYPE_CHECKING:
    from bootstrap.catalogs.metrics import TableMetrics

# Below these a table costs an engine nothing that is worth a clean-up.
_FILES, _SMALL = 100, 16 << 20  # files, and their mean size in bytes
_DELETES = 100  # delete files, all of which a scan may have to read
_SNAPSHOTS = 500  # each is in every metadata file
_METADATA = 64 << 20  # bytes of metadata, where they are also more than the data


def tables(measured: Sequence[TableMetrics], unreadable: Mapping[str, str], left_out: int = 0) -> Finding:
    """Whether files and metadata of tables slow engines down.

    ``unreadable``: why the metadata of a table could not be read. ``left_out``: how many tables were not measured.
    """
    for table, why in unreadable.items():
        return warning(
            f"the files of {table} could not be measured: {why}",
            "a file of its metadata is missing or damaged, or the store refused it",
            f"`lakehouse metrics {table}` tries again; put the file back from a copy, or drop the table and "
            "`lakehouse apply`",
        )
    slow = [(each, reason) for each in measured if (reason := _reason(each)) is not None]
    if not slow:
        return ok(f"{len(measured)} tables with rows, none with many small files" + _but(left_out))
    each, (what, cause, step) = slow[0]
    others = f" (so have {len(slow) - 1} more: {', '.join(of.table for of, _ in slow[1:4])})" if len(slow) > 1 else ""
    return warning(
        f"{each.table} has {what}{others}{_but(left_out)}",
        cause,
        f"`lakehouse maintain {each.table}`, which needs `maintenance: {{{step}}}` at the table in the file; "
        "`lakehouse metrics` shows every table",
    )


def _but(left_out: int) -> str:
    return f"; {left_out} further tables were not looked at" if left_out else ""


def _reason(of: TableMetrics) -> tuple[str, str, str] | None:
    """What the table has too much of, why that is slow, and the policy that removes it."""
    if of.files >= _FILES and of.average_file_bytes < _SMALL:
        size = f"{of.average_file_bytes / (1 << 20):.1f} MiB"
        return (
            f"{of.files} files of {size} on average",
            "engines open each file on its own: many small writes",
            "compact: {}",
        )
    if of.delete_files >= _DELETES:
        return (
            f"{of.delete_files} delete files",
            "engines apply them at each read: many updates or deletes",
            "compact: {}",
        )
    if of.snapshots >= _SNAPSHOTS:
        cause = "each is in every metadata file, which engines read and each commit writes again"
        return f"{of.snapshots} snapshots", cause, "expire_snapshots: {older_than_days: 7}"
    if of.metadata_bytes >= max(_METADATA, of.bytes):
        size = f"{of.metadata_bytes >> 20} MiB of metadata, more than its data"
        cause = "each commit writes the whole metadata again, and the former file stays: many small commits"
        return size, cause, "expire_snapshots: {older_than_days: 7}"
    return None


def memory(failed: Mapping[str, int], count: int, stack: str) -> Finding:
    """Trino's last ``count`` queries; ``failed`` are those that lacked memory, by Trino's word for the limit."""
    if not failed:
        return ok(f"none of Trino's last {count} lacked memory")
    limits = ", ".join(f"{name} ({number})" for name, number in failed.items())
    return warning(
        f"{sum(failed.values())} of Trino's last {count} failed for lack of memory: {limits}",
        "they needed more than Trino may use",
        "set more `memory` for `trino` under `engines` in lakehouse.yaml, then "
        "`lakehouse deploy`; or filter by a partition's column, and select fewer columns",
    )
