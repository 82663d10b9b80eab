"""Files with secrets, which only their owner may read."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from lakehouse.errors import UsageError


def private(path: Path, what: str, key: str = "") -> str:
    """The text of a file that only its owner may read. ``key`` is the entry that names it, if it can be left out.

    Raises UsageError if it is another user's, if others may read it, or if it cannot be read.
    """
    try:
        with path.open() as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.getuid():
                raise UsageError(f"{what} belongs to another user. Make a copy of your own, with mode 0600.")
            if about.st_mode & 0o077:
                mode, name = f"{about.st_mode & 0o777:04o}", shlex.quote(path.name)
                raise UsageError(f"{what} has mode {mode}, so other users may read it. Run `chmod 600 {name}`.")
            return file.read()
    except FileNotFoundError:
        remove = f", or remove `{key}`" if key else ""
        raise UsageError(f"{what} does not exist. Create it with mode 0600{remove}.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{what} cannot be read: {why}.") from None


def token(path: Path, what: str, key: str) -> str:
    """The token in such a file. Raises UsageError, also if it is not one."""
    found = private(path, what, key).strip()
    if not found or not found.isprintable() or " " in found:
        raise UsageError(f"{what} does not hold one token on one line.")
    return found
