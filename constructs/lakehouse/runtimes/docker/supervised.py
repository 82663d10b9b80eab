"""The supervisor of what runs outside of containers. The job that makes class archives is not its process there."""

from __future__ import annotations

import psutil

from lakehouse.runtimes import processes
from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.docker import background
from lakehouse.runtimes.process import steps
from lakehouse.runtimes.state import State


def left(state: State) -> list[psutil.Process]:
    """Its processes, and those that one which was killed left behind."""
    job = {each.pid for each in processes.belonging(state, JOB)}
    return [each for each in processes.belonging(state) if each.pid not in job]


def up(state: State, start: str) -> None:
    """Start it. On Docker nothing watches the disk."""
    steps.supervisor_up(state, start, left=lambda: left(state), watched=False)


def down(state: State) -> None:
    """Stop it with all its processes, and the job too, whose notes are in the folder that is removed with it."""
    background.stop(state)
    steps.supervisor_down(state)
