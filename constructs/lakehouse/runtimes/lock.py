"""Finds the holder of the lock of Terraform's state, waits for it, and holds it.

Terraform's own message about a locked state suggests disabling the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakehouseError

PATIENCE = 600.0  # seconds

# struct flock: Linux begins with type and whence, macOS and the BSDs with start and length.
_LAYOUT = "hhqqi0q" if sys.platform == "linux" else "qqihh"


@dataclass(frozen=True)
class LockHolder:
    """The holder of a lock. ``pid`` is 0 if it is unknown: a process of another machine or container."""

    pid: int
    program: str
    who: str  # user@host, as Terraform noted it
    since: str

    def __str__(self) -> str:
        parts = (f"pid {self.pid}" if self.pid else "", self.program, self.who, self.since and f"since {self.since}")
        return ", ".join(part for part in parts if part) or "an unknown process"


def holder(state: Path) -> LockHolder | None:
    """The holder of the lock of a state file, or None. The lock ends with the process that holds it."""
    try:
        with state.open("rb") as file:
            pid = _asked(file.fileno())
    except OSError:
        return None
    if pid is None:
        return None
    try:
        note = json.loads((state.parent / f".{state.name}.lock.info").read_text())
        who, since = str(note["Who"]), str(note["Created"])[:19].replace("T", " ") + " UTC"
    except (OSError, ValueError, KeyError, TypeError):
        who, since = "", ""
    return LockHolder(pid, _program(pid), who, since)


def wait(state: Path, patience: float = PATIENCE) -> str:
    """Wait at most ``patience`` seconds until nobody holds the lock. Returns why it gave up, as text, or ``""``."""
    found = holder(state)
    if found is None:
        return ""
    print(f"{state.name} is locked by another deploy ({found}): waiting until it ends.", file=sys.stderr, flush=True)
    end = time.monotonic() + patience
    while (now := holder(state)) is not None:
        found = now
        if time.monotonic() > end:
            how = f"`kill {found.pid}` ends it" if found.pid else "End it where it runs"
            return f"{state.name} is still locked ({found}) after {patience:.0f} s. {how}, then try again."
        time.sleep(0.5)
    return ""


@contextmanager
def held(state: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock as Terraform does, so that deploys wait. A stack without a state file has none to hold.

    Meanwhile this process must not open the file: closing it would end the lock. Raises LakehouseError if another one
    holds it for more than ``patience`` seconds.
    """
    if why := wait(state, patience):
        raise LakehouseError(why)
    if not state.is_file():
        yield
        return
    with state.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LakehouseError(f"{state.name} was locked by another deploy in this moment. Try again.") from None
        yield


def states(file: Path, words: Sequence[str]) -> list[Path]:
    """The state files of the stacks that a command line of cdktf names, by default of all stacks.

    They are found by name as in :func:`lakehouse.runtimes.state.terraform_state`, without reading the lakehouse's file.
    """
    stem = () if file.name == "lakehouse.yaml" else (file.stem,)
    start = ".".join(("terraform", *stem, ""))
    found = {
        path.name.removeprefix(start).removesuffix(".tfstate"): path for path in file.parent.glob(f"{start}*.tfstate")
    }
    named = [each for each in words[1:] if each in found]
    return [found[each] for each in named] or [path for stack, path in sorted(found.items()) if "." not in stack]


def _asked(descriptor: int) -> int | None:
    """The pid of the process that locks the file against writers, or None."""
    if sys.platform == "linux":
        question = struct.pack(_LAYOUT, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_LAYOUT, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    else:
        question = struct.pack(_LAYOUT, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
        _, _, pid, kind, _ = struct.unpack(_LAYOUT, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return None if kind == fcntl.F_UNLCK else int(pid)


def _program(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return " ".join([Path(words[0]).name, *words[1:2]]).strip()
