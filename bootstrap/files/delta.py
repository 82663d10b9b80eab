"""Which files make up a Delta table now, from its log. https://github.com/delta-io/delta/blob/master/PROTOCOL.md

A table that needs more than its protocol's first version (deletion vectors, column mapping) is refused, never misread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lakehouse.errors import UsageError

LOG = "_delta_log/"
_HARMLESS = {"timestampNtz", "vacuumProtocolCheck"}  # features that change nothing for a reader of all active files


@dataclass(frozen=True)
class DeltaTable:
    """``files`` are the active ones: path below the table, and values of the partition columns as text."""

    id: str
    types: Mapping[str, Any]  # of the columns, with Delta's names
    files: Mapping[str, Mapping[str, str | None]]


def is_delta(names: Iterable[str]) -> bool:
    return any(name.startswith(LOG) for name in names)


def read(address: str, names: Sequence[str], fetch: Callable[[str], Path]) -> DeltaTable:
    """Replay the log. Raises UsageError if the table cannot be read correctly."""
    return replay(address, _actions(address, names, fetch))


def _actions(address: str, names: Sequence[str], fetch: Callable[[str], Path]) -> Iterable[Mapping[str, Any]]:
    log = [name.removeprefix(LOG) for name in names if name.startswith(LOG)]
    commits = {int(m[1]): m[0] for name in log if (m := re.fullmatch(r"(\d{20})\.json", name))}
    parts: dict[tuple[int, int], list[str]] = {}
    for name in log:
        if m := re.fullmatch(r"(\d{20})\.checkpoint(?:\.\d{10}\.(\d{10}))?\.parquet", name):
            parts.setdefault((int(m[1]), int(m[2] or 1)), []).append(name)
    whole = [(version, count) for (version, count), found in parts.items() if len(found) == count]
    start, count = max(whole, default=(-1, 0))
    later = sorted(version for version in commits if version > start)
    if later != list(range(start + 1, start + 1 + len(later))) or (start < 0 and not later):
        raise UsageError(f"{address}: its _delta_log has gaps: the table's current state cannot be read from it.")
    if start >= 0:
        import pyarrow.parquet as pq

        for name in parts[start, count]:
            for row in pq.read_table(fetch(LOG + name)).to_pylist():
                yield {key: _plain(value) for key, value in row.items() if value is not None}
    for version in later:
        for line in fetch(LOG + commits[version]).read_text().splitlines():
            if line.strip():
                yield json.loads(line)


def _plain(value: Any) -> Any:
    """A checkpoint's maps come as lists of pairs."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, tuple) for each in value):
        return dict(value)
    return value


def replay(address: str, actions: Iterable[Mapping[str, Any]]) -> DeltaTable:
    """The table that results from the actions, in their order."""
    protocol: Mapping[str, Any] = {}
    metadata: Mapping[str, Any] = {}
    files: dict[str, Mapping[str, str | None]] = {}
    for action in actions:
        protocol = action.get("protocol") or protocol
        metadata = action.get("metaData") or metadata
        if add := action.get("add"):
            if add.get("deletionVector"):
                raise _refused(address, "deletion vectors", "REORG TABLE ... APPLY (PURGE)")
            files[unquote(add["path"])] = {k: v or None for k, v in dict(add.get("partitionValues") or {}).items()}
        if remove := action.get("remove"):
            files.pop(unquote(remove["path"]), None)
    features = set(protocol.get("readerFeatures") or ()) - _HARMLESS
    mapping = dict(metadata.get("configuration") or {}).get("delta.columnMapping.mode", "none")
    if mapping != "none":
        raise _refused(address, f"column mapping ({mapping})", "write it to a new table without column mapping")
    if features - {"columnMapping", "deletionVectors"} or protocol.get("minReaderVersion", 1) > 3:
        raise _refused(address, f"reader features ({', '.join(sorted(features))})", "drop them with ALTER TABLE")
    if any("://" in path or path.startswith("/") for path in files):
        raise _refused(address, "files outside its folder (a shallow clone)", "make a deep clone")
    columns = {each["name"]: each["type"] for each in json.loads(metadata["schemaString"])["fields"]}
    return DeltaTable(metadata["id"], columns, files)


def _refused(address: str, what: str, fix: str) -> UsageError:
    return UsageError(f"{address}: this Delta table has {what}, which cannot be read here. With Delta: {fix}.")
