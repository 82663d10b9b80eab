"""Files that lakehouse.yaml names: those with secrets, which only their owner may read, and others."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path

from lakehouse.errors import UsageError


def private(path: Path, what: str, key: str = "", holds: str = "") -> str:
    """The text of a file that only its owner may read. ``key`` is the entry that names it, if it can be left out.

    ``holds`` says what a file that is not there should hold.
    Raises UsageError if it is another user's, if others may read it, or if it cannot be read.
    """
    remove = f", or remove `{key}`" if key else ""
    return _text(path, what, f"Create it with mode 0600{holds and f' and {holds}'}{remove}", _check)


def public(path: Path, what: str) -> str:
    """The text of a file that others may read, too. Raises UsageError if it cannot be read."""
    return _text(path, what, "Create it", lambda about, path, what: None)


def _text(path: Path, what: str, fix: str, check: Callable[[os.stat_result, Path, str], None]) -> str:
    try:
        with path.open() as file:
            check(os.fstat(file.fileno()), path, what)
            return file.read()
    except FileNotFoundError:
        raise UsageError(f"{what} does not exist. {fix}.") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{what} cannot be read: {why}.") from None


def _check(about: os.stat_result, path: Path, what: str) -> None:
    if about.st_uid != os.getuid():
        raise UsageError(f"{what} belongs to another user. Make a copy of your own, with mode 0600.")
    if about.st_mode & 0o077:
        mode, name = f"{about.st_mode & 0o777:04o}", shlex.quote(path.name)
        raise UsageError(f"{what} has mode {mode}, so other users may read it. Run `chmod 600 {name}`.")


def token(path: Path, what: str, key: str) -> str:
    """The token in such a file. Raises UsageError, also if it is not one."""
    found = private(path, what, key).strip()
    if not found or not found.isprintable() or " " in found:
        raise UsageError(f"{what} does not hold one token on one line.")
    return found
