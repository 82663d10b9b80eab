"""The lowest priority, for work that must not slow down what a user waits for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import psutil


def lowest(pid: int | None = None) -> None:
    """Give a process, by default this one, only the processor time and disk time that nothing else wants.

    What it starts from then on inherits that. What the system does not support is left as it is.
    """
    process = psutil.Process(pid)
    with suppress(psutil.Error, OSError):
        process.nice(19)
    if sys.platform == "linux":
        with suppress(psutil.Error, OSError):
            process.ionice(psutil.IOPRIO_CLASS_IDLE)
        with suppress(OSError):
            os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))


def lowest_session(pid: int) -> None:
    """As :func:`lowest`, for the leader of a session, such as a daemon.

    Linux may share the time among sessions first, and only then within each by priority (sched(7), autogroup).
    """
    lowest(pid)
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("19")
