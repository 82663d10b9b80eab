"""Temporary folders: the private one of a run of cdktf, and the one that all programs of the system share.

cdktf, jsii and Terraform's providers write to the folder in TMPDIR. ``bin/cdktf`` sets TMPDIR to a folder below the
cache folder, so that their files are apart from those of other users. It also sets LAKEHOUSE_TMPDIR to that folder,
because what outlives the run (the supervisor) and what every command must find (its socket) must not be in it.
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
from lakehouse.packages import cached

OWN = "LAKEHOUSE_TMPDIR"

_CHOSEN = ("TMPDIR", "TEMP", "TMP")
_PREFIX = "cdktf-"
# Terraform's providers listen on sockets in it, plugin-dirNNNNNNNNNN/pluginNNNNNNNNNN, and macOS allows 103 bytes.
_LONGEST = 103 - 38
# A cache folder may be shared with a container, where the same number is another process. So a younger folder is never
# removed. Files that a run needs for longer are open.
_AGE = 3600.0  # seconds


def make(pid: int) -> Path | None:
    """Make the private folder of the run with that process id, and remove the folders of runs that have ended.

    Returns None if the user has set a temporary folder, or if no folder can be made.
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
    """The system's temporary folder, or the one that the user has set. It is the same within and outside of cdktf."""
    return Path("/tmp") if within() else Path(tempfile.gettempdir())  # noqa: S108 - what is made there is checked


def within() -> bool:
    """Whether TMPDIR is the private folder of a program, and not set by the user."""
    return bool(own := os.environ.get(OWN)) and own == os.environ.get("TMPDIR")


def named(folder: Path) -> dict[str, str]:
    """Create a folder, and return the variables that make it a program's private temporary folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"TMPDIR": str(folder), OWN: str(folder)}


def private() -> Path:
    """This user's folder in the system's temporary folder, for sockets whose path would be too long elsewhere."""
    return shared() / f"lakehouse-{os.getuid()}"


def _bases() -> Iterator[Path]:
    with suppress(LakehouseError):  # a user without a home folder
        yield cached.root() / "tmp"
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
