"""One run at a time of a command that two at once would disturb."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lakehouse.errors import LakehouseError


@contextmanager
def alone(path: Path, what: str) -> Iterator[IO[str]]:
    """Hold the lock file ``path``. The lock is released when its process ends, in whatever way.

    Raises LakehouseError if another process holds it: another ``what``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LakehouseError(f"Another {what} is running. Wait for it.") from None
        yield lock
