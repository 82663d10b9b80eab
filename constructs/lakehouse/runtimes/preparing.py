"""``python -m lakehouse.runtimes.preparing STATE FILE STACK RUNTIME``: the job that makes missing class archives.

It waits until the deploy that started it has ended and a processor is idle, and works at the lowest priority. Whoever
kills it loses nothing: the next one removes what is left of it. Of processes, the supervisor starts it again; of
containers, the next deploy that starts one.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving, lock, memory, priority, processes, training
from lakehouse.runtimes.archiving import JOB, JobNote
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.state import State, terraform_state
from lakehouse.runtimes.training import Teller, Way
from lakehouse.spec import load

_ATTEMPTS = 3
_INTERVAL = 1.0  # seconds between two looks at what it waits for
_BUSY = 600.0  # seconds for which it waits at most while others want all processors
_ROOM_MB = 3000  # of memory: a second lakehouse, and then two JVMs that make archives


def prepare(state: State, path: Path, stack: str, how: Way) -> None:
    """Make the archives that the stack of the file lacks. It notes what it does.

    Raises OSError if it cannot note it, as on a full disk.
    """
    how.end(state)
    processes.kill(each for each in processes.belonging(state, JOB) if each.pid != os.getpid())
    for attempt in range(archiving.noted(state).attempts + 1, _ATTEMPTS + 1):
        told = _Noting(state, attempt)
        told.does("waiting until the deploy has ended")
        _until(lambda: lock.holder(terraform_state(path, stack)) is None)
        told.does("waiting until a processor is idle")
        _until(_idle, _BUSY)
        told.does(f"waiting until {_ROOM_MB} MB of memory are free")
        _until(lambda: memory.machine()[1] >= _ROOM_MB)
        try:
            lakehouse = load(path)  # it may have changed since the last attempt
            training.train(lakehouse, stack, path, told)
            if not how.missing(locate(lakehouse, stack, path)):
                archiving.note(state, JobNote())
                return
        except LakehouseError as error:
            told.say(str(error))
    archiving.note(state, JobNote(f"not made: `lakehouse logs {JOB}` says why", failed=True))


class _Noting(Teller):
    """Notes what the training does, for `lakehouse status`."""

    in_background = True

    def __init__(self, state: State, attempt: int) -> None:
        self._state, self._attempt = state, attempt

    def say(self, text: str) -> None:
        print(text, flush=True)

    def does(self, what: str, folder: Path | None = None) -> None:
        archiving.note(self._state, JobNote(what, self._attempt, folder=str(folder or "")))


def _idle() -> bool:
    """Whether fewer processes want a processor than there are processors, in the mean of the last minute.

    Otherwise the second lakehouse would stand still and keep its memory, and run into the time limits of its clients.
    """
    return os.getloadavg()[0] < (os.cpu_count() or 1)


def _until(there: Callable[[], bool], patience: float = math.inf) -> None:
    """Wait for it, at most ``patience`` seconds."""
    end = time.monotonic() + patience
    while not there() and time.monotonic() < end:
        time.sleep(_INTERVAL)


def main(arguments: Sequence[str] | None = None) -> None:
    root, file, stack, runtime = sys.argv[1:] if arguments is None else arguments
    state, how = State(Path(root)), training.way(runtime)
    assert how is not None, "the runtime that starts this has a way"

    def stop(_number: int, _frame: FrameType | None) -> None:
        how.end(state)
        os._exit(0)  # its threads wait for processes that are gone

    signal.signal(signal.SIGTERM, stop)
    priority.lowest()
    try:
        prepare(state, Path(file), stack, how)
    except OSError as error:
        sys.exit(f"{error.filename or root}: {error.strerror}")  # the supervisor does not start it again


if __name__ == "__main__":
    main()
