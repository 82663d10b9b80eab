"""When something in the cache was last used, so that what nobody uses any longer can be removed.

The modification time of the file or folder itself says so. Several versions of the toolkit may share a cache, and no
list says which: so what one version's pins do not name stays as long as another version goes on using it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_DAYS = 30
_REMOVED = ".removed-"  # the beginning of the name of a folder that is being removed


def note(path: Path) -> None:
    """Record that it is used now. A cache that only another user may write to stays as it is."""
    with suppress(OSError):
        os.utime(path)


def is_over(path: Path) -> bool:
    """Whether nobody used it for 30 days."""
    try:
        return time.time() - path.stat().st_mtime > _DAYS * 86_400
    except OSError:
        return False  # somebody else has removed it


def remove_former(folder: Path, pattern: str, keep: Collection[str]) -> list[Path]:
    """Remove the folders of that pattern that nobody used for 30 days, except those named ``keep``. Returns them.

    Each disappears whole: if this is killed, nobody takes half a folder for an installation.
    """
    found = []
    for each in folder.glob(pattern):
        if each.is_dir() and each.name not in keep and is_over(each):
            with suppress(OSError):  # another user's cache, or somebody else removes it too
                each.rename(each.with_name(f"{_REMOVED}{each.name}"))
                found.append(each)
    for left in folder.glob(f"{_REMOVED}*"):
        shutil.rmtree(left, ignore_errors=True)
    return found
