"""Temporary folders: the private one that a run of cdktf has, and the one that all programs of the system share.

cdktf, jsii and Terraform's providers write to the folder that TMPDIR names. ``bin/cdktf`` names one below the cache
folder, so that nothing of them lies where other users' files do, and notes it in LAKEHOUSE_TMPDIR: what outlives the
run (the supervisor), and what every command has to find (its socket), must not depend on it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import store

OWN = "LAKEHOUSE_TMPDIR"

_CHOSEN = ("TMPDIR", "TEMP", "TMP")
_PREFIX = "cdktf-"
# Providers of Terraform listen on sockets in it, plugin-dirNNNNNNNNNN/pluginNNNNNNNNNN, and macOS takes 103 bytes.
_LONGEST = 103 - 38
# A cache folder may be shared with a container, where the same number is another process: what a run needs of its
# folder for longer than this it holds open.
_AGE = 3600.0  # seconds


def make(pid: int) -> Path | None:
    """Makes the private folder of the run with that process id, and removes those of runs that have ended.

    None where the user has chosen a temporary folder, or where none can be made.
    """
    if any(os.environ.get(name) for name in _CHOSEN):
        return None
    for base in _bases():
        folder = base / f"{_PREFIX}{pid}"
        if len(os.fsencode(folder)) > _LONGEST:
            continue
        with suppress(OSError):
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            if base.is_symlink() or base.stat().st_uid != os.getuid():
                continue
            _clean(base)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            return folder
    return None


def shared() -> Path:
    """The system's temporary folder, or the user's own choice: the same in every command, within a run of cdktf too."""
    return Path("/tmp") if within() else Path(tempfile.gettempdir())  # noqa: S108 - what is made there is checked


def within() -> bool:
    """Whether TMPDIR is a program's own private folder, and not the user's choice."""
    return bool(own := os.environ.get(OWN)) and own == os.environ.get("TMPDIR")


def named(folder: Path) -> dict[str, str]:
    """The variables that make a folder, which is made with it, the private one of a program."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"TMPDIR": str(folder), OWN: str(folder)}


def private() -> Path:
    """The folder of this user in the system's temporary one, for sockets that have too long a path elsewhere."""
    return shared() / f"lakehouse-{os.getuid()}"


def _bases() -> Iterator[Path]:
    with suppress(LakehouseError):  # a user without a home folder
        yield store.cache() / "tmp"
    yield private()


def _clean(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        number = folder.name.removeprefix(_PREFIX)
        with suppress(OSError):
            if number.isdecimal() and folder.stat().st_mtime < time.time() - _AGE and not _runs(int(number)):
                shutil.rmtree(folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
