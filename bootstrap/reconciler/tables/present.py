"""What a table of a lakehouse holds that a restore would lose, and that an undrop brings back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bootstrap.reconciler.marks import SEED_FILES


def replaceable(metadata: Mapping[str, Any]) -> bool:
    """Whether a table has only what a deploy gave it: no rows, or those of its seed."""
    snapshots = metadata.get("snapshots") or []
    if not snapshots:
        return True
    seed = (metadata.get("properties") or {}).get(SEED_FILES, "").partition(" ")[0]
    return len(snapshots) == 1 and str(snapshots[0]["snapshot-id"]) == seed
