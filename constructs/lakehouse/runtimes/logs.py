"""A service's log: its last lines, and new lines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_BLOCK = 1 << 16
_INTERVAL = 0.25  # seconds between two reads of a log that is followed


def tail(path: Path, lines: int) -> str:
    """The last ``lines`` lines of a file, read from its end. Bytes that are not UTF-8 are replaced."""
    if lines <= 0:
        return ""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        content = b""
        # One newline more than lines: the one before the first line.
        while position > 0 and content.count(b"\n") <= lines:
            step = min(_BLOCK, position)
            position = file.seek(position - step)
            content = file.read(step) + content
    return b"".join(content.splitlines(keepends=True)[-lines:]).decode(errors="replace")


def follow(path: Path, *, wait: Callable[[], None] = lambda: time.sleep(_INTERVAL)) -> Iterator[str]:
    """The text that is added to the file from now on, without end. After a rotation it reads the new file."""
    file = path.open("rb")
    file.seek(0, 2)
    try:
        while True:
            text = file.read()
            if text:
                yield text.decode(errors="replace")
                continue
            wait()
            try:
                now = path.stat()
            except FileNotFoundError:
                continue  # in the middle of a rotation
            if now.st_ino != os.fstat(file.fileno()).st_ino or now.st_size < file.tell():
                yield file.read().decode(errors="replace")
                file.close()
                file = path.open("rb")
    finally:
        file.close()
