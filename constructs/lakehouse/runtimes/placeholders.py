"""What stands in configuration for secrets and for other files, until the configuration is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from lakehouse.errors import LakehouseError

_SECRET = re.compile(r"\{\{secret:([a-z0-9-]+)\}\}")
_FILE = re.compile(r"\{\{file:([^}]+)\}\}")


def secret(name: str) -> str:
    """What stands for the secret of that name."""
    return f"{{{{secret:{name}}}}}"


def content(path: Path) -> str:
    """What stands for the content of that file."""
    return f"{{{{file:{path}}}}}"


def filled(text: str, secret: Callable[[str], str]) -> str:
    """The text with each ``{{secret:NAME}}`` replaced by what ``secret(NAME)`` answers, ``{{file:PATH}}`` by the file.

    Raises LakehouseError where such a file cannot be read.
    """
    return _FILE.sub(lambda match: _read(Path(match[1])), _SECRET.sub(lambda match: secret(match[1]), text))


def with_contents(text: str) -> str:
    """The text with each ``{{file:PATH}}`` replaced by the file's digest: it changes with the file. Empty: no file."""

    def mark(match: re.Match[str]) -> str:
        path = Path(match[1])
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    return _FILE.sub(mark, text)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise LakehouseError(f"{path}, which lakehouse.yaml names, cannot be read: {why}. Put it there.") from error
