"""Room on the disks of a lakehouse: bytes and inodes, their limits, and the ballast that frees some of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.services.service import Service

ROOM_MB, ROOM_INODES = 512, 2000  # free; with less, nothing is deployed
CLOSE_MB, CLOSE_INODES = 64, 500  # free; with less, the store accepts no writes
OPEN_MB, OPEN_INODES = 96, 1000  # free; with so much, the store accepts writes again
BALLAST_MB = 128
_LITTLE_MB = 2048  # free; with less, `lakehouse doctor` warns
BALLAST = "ballast"  # a file that only uses space, so that its deletion frees space on a full disk


@dataclass(frozen=True)
class DiskRoom:
    """Free space at a folder. ``inodes`` is None if the file system creates them as needed."""

    folder: Path
    free_mb: int
    inodes: int | None

    def __str__(self) -> str:
        files = "" if self.inodes is None else f" and room for {self.inodes} more files"
        return f"{self.folder} has {self.free_mb} MB free{files}"

    def below(self, megabytes: int, inodes: int) -> bool:
        """Whether less than one of the two is free."""
        return self.free_mb < megabytes or (self.inodes is not None and self.inodes < inodes)


def look(folder: Path) -> DiskRoom:
    """Free space at a folder, or at the nearest existing folder above it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    found = os.statvfs(folder)
    free = shutil.disk_usage(folder).free >> 20
    return DiskRoom(folder, free, found.f_favail if found.f_files else None)


def least(folders: Iterable[Path]) -> DiskRoom:
    """The folder with the least free space."""
    rooms = [look(each) for each in folders]
    short = [each for each in rooms if each.below(ROOM_MB, ROOM_INODES)]
    return min(short or rooms, key=lambda each: (each.free_mb, each.inodes or 0))


def finding(room: DiskRoom, fix: str, closed: str = "") -> Finding:
    """The finding about the disk with the data. ``closed`` says why the store accepts no writes; empty if it does."""
    found = str(room)
    if closed:
        return error(found, closed, fix)
    if room.free_mb < ROOM_MB:
        return error(found, f"below {ROOM_MB} MB nothing can be deployed, and writes will soon fail", fix)
    if room.below(0, CLOSE_INODES):
        return error(found, "no more files can be created, however many bytes are free", fix)
    if room.below(0, ROOM_INODES):
        return error(found, f"below {ROOM_INODES} files nothing can be deployed, and writes will soon fail", fix)
    if room.free_mb < _LITTLE_MB:
        return warning(found, "the next large ingest or compaction may not fit", fix)
    return ok(found)


def again(services: Iterable[Service]) -> str:
    """What is left to do, as the end of a fix, if services refuse writes also when there is room again."""
    stuck = [each.name for each in services if each.stuck_when_full]
    return "".join(f", then `lakehouse restart {each}`: until then it refuses writes" for each in stuck)


def check(folder: Path) -> None:
    """Raises LakehouseError if the disk of the folder has too little room for a deploy."""
    room = look(folder)
    if room.free_mb < ROOM_MB:
        spare = f" (`rm '{folder / BALLAST}'` frees {BALLAST_MB} MB)" if (folder / BALLAST).is_file() else ""
        raise LakehouseError(
            f"{folder} has {room.free_mb} MB free; {ROOM_MB} MB are needed. Free space on that disk{spare}."
        )
    if room.below(ROOM_MB, ROOM_INODES):
        raise LakehouseError(
            f"{folder} has room for {room.inodes} more files; {ROOM_INODES} are needed: its file system has no more "
            "inodes, however many bytes are free. Delete small files there, or name a folder on another disk."
        )


def freeing(root: Path) -> str:
    """The command that deletes the ballast, and what that gives; empty if there is none."""
    path = root / BALLAST
    return f"`rm '{path}'` frees {BALLAST_MB} MB at once" if path.is_file() else ""


def shortage(room: DiskRoom, root: Path) -> str:
    """What is wrong with the disk and how to fix it, as text; empty if nothing is. ``root`` is the state folder."""
    if not room.below(ROOM_MB, ROOM_INODES):
        return ""
    what = "The disk is full" if room.below(CLOSE_MB, CLOSE_INODES) else "The disk is nearly full"
    first = f"{spare}; then " if (spare := freeing(root)) else ""
    return f"{what}: {room}. {first}`lakehouse maintain` removes old snapshots, or free space there in another way."


def fill(root: Path) -> None:
    """Make the ballast if it does not exist and the disk has enough free space. A failure is ignored."""
    path, size = root / BALLAST, BALLAST_MB << 20
    if path.exists() or look(root).below(OPEN_MB + BALLAST_MB, OPEN_INODES):
        return
    try:
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:  # macOS
                file.write(bytes(size))
    except OSError:
        path.unlink(missing_ok=True)


def release(root: Path, megabytes: int) -> None:
    """Free a part of the ballast."""
    try:
        with (root / BALLAST).open("r+b") as file:
            file.truncate(max(0, os.fstat(file.fileno()).st_size - (megabytes << 20)))
    except OSError:
        return  # there is no ballast
