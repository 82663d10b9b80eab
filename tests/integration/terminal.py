"""A command on a terminal of its own, as a person has it: what it shows, and keys that are pressed."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from pathlib import Path

from tests.integration.deployment import BIN

CTRL_C, CTRL_D = b"\x03", b"\x04"


def terminal(folder: Path, *words: str, until: str, keys: bytes, patience: float = 120) -> tuple[str, int]:
    """What `lakehouse` with these words shows, and its exit code. ``keys`` are pressed when it shows ``until``."""
    pid, screen = pty.fork()
    if pid == 0:
        own = ("LAKEHOUSE", "PYTEST", "AWS", "TF_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        kept = {key: value for key, value in kept.items() if key not in ("CI", "NO_COLOR")}
        os.chdir(folder)
        os.execve(BIN / "lakehouse", [str(BIN / "lakehouse"), *words], {**kept, "TERM": "xterm-256color"})
    shown, end, pressed = b"", time.monotonic() + patience, False
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.2)[0]:
            try:
                shown += os.read(screen, 65536)
            except OSError:  # it has ended
                break
        if not pressed and until.encode() in shown:
            os.write(screen, keys)
            pressed = True
    else:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(screen)
    assert pressed, shown.decode()
    return shown.decode(), code
