"""The end of a step that Terraform's provisioners run: its exit code, and its error as a line and an event."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import events
from lakehouse.text.terminal import shown_lines


def ended(run: Callable[[], None], name: str, state: Path) -> int:
    """Run a step. ``name`` is that of its service, or its own; ``state`` the state folder.

    Returns the exit code: 0, that of the error, or 130 after Ctrl-C.
    """
    try:
        run()
    except LakehouseError as error:
        return _failed(name, shown_lines(error), error.exit_code)
    except OSError as error:  # a full disk, a folder of another user
        return _failed(name, f"{error.filename or state}: {error.strerror}", 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _failed(name: str, message: str, code: int) -> int:
    print(f"Error: {message}", file=sys.stderr)
    events.tell("failed", name, message)
    return code
