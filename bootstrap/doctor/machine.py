"""Memory and the state folder of this machine. Only decisions; sizes are in MiB."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from lakehouse.runtimes.findings import Finding, error, ok, warning

_LITTLE_MEMORY_MB = 256  # left over, with all services up
_SMALLER = (
    "set `memory`, `driver_memory` or `workers` under `engines` in lakehouse.yaml to smaller values and "
    "`lakehouse deploy`, or stop other programs"
)


def memory(total: int, available: int, wanted: Mapping[str, int], running: Collection[str], stack: str) -> Finding:
    """``wanted`` is what each service may need; running services have their share already."""
    everything = sum(wanted.values())
    to_come = sum(needed for name, needed in wanted.items() if name not in running)
    fix = _SMALLER.format(stack=stack)
    sizes = f"{available} MiB available of {total}; the services may need {everything}"
    if everything > total:
        return error(sizes, "the services together are larger than this machine's memory", fix)
    if to_come > available:
        return error(f"{sizes}, {to_come} of it still to be started", "other programs use the memory", fix)
    if available - to_come < _LITTLE_MEMORY_MB:
        return warning(sizes, "almost nothing is left: the system may end a service at its next large query", fix)
    return ok(sizes)


@dataclass(frozen=True)
class Folder:
    """A folder as the file system shows it. ``there`` is False before the first deploy."""

    path: Path
    there: bool
    mine: bool = True
    writable: bool = True
    mode: int = 0o700


def state(folder: Folder, another: str = "") -> Finding:
    """The state folder: it holds secrets, so only its owner may enter. ``another``: why it is not this file's."""
    if another:
        cause, _, fix = another.partition(". ")
        return error(f"{folder.path} does not belong to this lakehouse", cause, fix or another)
    if not folder.there:
        return ok(f"{folder.path} does not exist yet")
    if not folder.mine:
        return error(
            f"{folder.path} belongs to another user",
            "the lakehouse was deployed by somebody else, or by root",
            f"deploy as that user, or `sudo chown -R $(id -un) '{folder.path}'`",
        )
    if not folder.writable:
        return error(
            f"{folder.path} cannot be written",
            "its file system is read-only, or its mode forbids it",
            f"`chmod u+rwx '{folder.path}'`, or mount the file system for writing",
        )
    if folder.mode & 0o077:
        return warning(
            f"{folder.path} is open to other users (mode {folder.mode:o})",
            "somebody changed its mode; the store's keys are in it",
            f"`chmod 700 '{folder.path}'`",
        )
    return ok(f"{folder.path}")
