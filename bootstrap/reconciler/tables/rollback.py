"""``lakehouse rollback``: the table's rows as they were at a former snapshot. Later snapshots stay in its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bootstrap.reconciler.tables.draft import Json
from lakehouse.errors import UsageError


@dataclass(frozen=True)
class Rollback:
    """A planned rollback: the commit, and what it does, as text."""

    text: str
    commit: Json


def rollback(name: str, metadata: Mapping[str, Any], to: int | datetime) -> Rollback | None:
    """The rollback of a table with that whole ``metadata`` to a snapshot, or to the one that was current at a time.

    None: the table is at that snapshot. Raises UsageError if it has no such snapshot.
    """
    snapshots = {each["snapshot-id"]: each for each in metadata.get("snapshots") or ()}
    current = metadata.get("current-snapshot-id")
    goal = to if isinstance(to, int) else _at(name, metadata, to)
    if goal not in snapshots:
        known = ", ".join(str(each["snapshot-id"]) for each in sorted(snapshots.values(), key=_when)[-5:])
        raise UsageError(
            f"{name} has no snapshot {goal}: "
            + (f"its newest are {known}" if known else "it has no snapshots")
            + '. A query of "TABLE$snapshots" in Trino shows all; `maintain` removes old ones.'
        )
    if goal == current:
        return None
    before, after = snapshots.get(current), snapshots[goal]
    return Rollback(
        f"{name} goes from {_text(before)} back to {_text(after)}; "
        f"`lakehouse rollback {name} --to {current}` undoes it until `maintain` removes that snapshot",
        {
            "requirements": [
                {"type": "assert-table-uuid", "uuid": metadata["table-uuid"]},
                {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": current},
            ],
            "updates": [{"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": goal}],
        },
    )


def _at(name: str, metadata: Mapping[str, Any], time: datetime) -> int:
    """The snapshot that was current then, as the table's log of snapshots says."""
    until = time.timestamp() * 1000
    log = [each for each in metadata.get("snapshot-log") or () if each["timestamp-ms"] <= until]
    if not log:
        raise UsageError(
            f"{name} had no snapshot at {time.isoformat()}, as far as its log goes back. Name a later time"
        )
    return int(max(log, key=_when)["snapshot-id"])


def _when(entry: Mapping[str, Any]) -> int:
    return int(entry["timestamp-ms"])


def _text(snapshot: Mapping[str, Any] | None) -> str:
    if snapshot is None:
        return "no snapshot"
    made = datetime.fromtimestamp(_when(snapshot) / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    summary = snapshot.get("summary") or {}
    rows = (
        int(summary["total-records"]) - int(summary.get("total-position-deletes", 0))
        if "total-records" in summary
        else "an unknown number of"
    )
    return f"snapshot {snapshot['snapshot-id']} ({made}, {rows} rows)"
