"""The disks of a lakehouse on this machine, for status commands and for errors that a full disk explains."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import disk


@dataclass(frozen=True)
class Disk:
    """``inodes_free`` is None if the file system has no fixed number; ``problem`` is empty if all is well."""

    folder: str
    free_mb: int
    inodes_free: int | None
    writes: bool  # False while the store takes no writes for lack of space
    problem: str


def look(target: Target) -> Disk:
    """The stack's disk with the least free space."""
    local = target.local
    room = disk.least(local.runtime.folders())
    closed = local.runtime.closed()
    problem = " ".join(filter(None, (disk.shortage(room, local.state.root), closed)))
    return Disk(str(room.folder), room.free_mb, room.inodes, not closed, problem)


def explained(target: Target) -> str:
    """What is wrong with the disk, as text, after something failed; empty if the disk is not the reason."""
    if target.in_aws:
        return ""
    try:
        return look(target).problem
    except (LakehouseError, OSError):
        return ""
