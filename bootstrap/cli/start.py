"""The console script. It imports little: what Ctrl-C interrupts before the command has begun is no traceback."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``lakehouse``."""
    try:
        from bootstrap.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
