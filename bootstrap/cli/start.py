"""The console script. It imports little: what Ctrl-C interrupts before the command has begun is no traceback."""

from __future__ import annotations

import os
import sys


def _open_what_is_closed() -> None:
    """Give a process the input and outputs that whoever started it has closed: what is printed there goes nowhere.

    Else the next file that is opened is the output, and Python has None for it.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            found = os.open(os.devnull, os.O_RDWR)
            if found != descriptor:
                os.dup2(found, descriptor)
                os.close(found)
            os.set_inheritable(descriptor, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", closefd=False))  # noqa: SIM115


def main() -> None:
    """Run ``lakehouse``."""
    _open_what_is_closed()
    try:
        from bootstrap.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
