"""Whose a folder is, for a user who may not read it."""

from __future__ import annotations

import os
import pwd
import shlex
from pathlib import Path

from lakehouse.errors import LakehouseError


def check_readable(folder: Path) -> None:
    """Raises LakehouseError if this user may not read a folder of a stack's state, which need not exist."""
    try:
        with os.scandir(folder):
            return
    except PermissionError:
        raise LakehouseError(unreadable(folder)) from None
    except OSError:
        return  # it does not exist, or reading it fails for a reason that has words of its own


def unreadable(path: Path) -> str:
    """Why this user may not read a part of a stack's state, and what to do."""
    for place in (path, *path.parents):
        try:
            owner = place.stat().st_uid
        except OSError:  # below a folder that this user may not enter
            continue
        break
    else:  # the root of the file system is always there
        raise AssertionError(path)
    if owner == os.getuid():
        return f"{place} cannot be read, because its mode forbids it. `chmod u+rwx {shlex.quote(str(place))}`."
    return (
        f"{place} belongs to {_name(owner)}, and {_name(os.getuid())} may not read it: only who deployed a stack works "
        f"on it. Run this as {_name(owner)}, or give a stack of your own another folder, `stacks.NAME.state`."
    )


def _name(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
