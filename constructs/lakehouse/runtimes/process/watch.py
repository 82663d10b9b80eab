"""``python -m lakehouse.runtimes.process.watch``: protects the disk from running full. The supervisor runs it.

While the disk is almost full, the store accepts no writes: it is restarted in read-only mode, or stopped if its kind
has no such mode. So there is space for what must still be written (a catalog's log, a clean stop). When there is space
again, the store accepts writes again.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path

from lakehouse.runtimes import disk
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service

_INTERVAL = 2.0  # seconds between two checks; each needs two system calls
_CLOSED, _STORE = "closed", "store.json"


def closed(state: State) -> str:
    """Why the store accepts no writes now, as text; empty if it accepts them."""
    try:
        return (state.run / _CLOSED).read_text()
    except OSError:
        return ""


def watched(state: State, service: Service) -> None:
    """Record that this service is the store and was started to accept writes."""
    (state.run / _CLOSED).unlink(missing_ok=True)
    write_private(state.run / _STORE, json.dumps(asdict(service)))


def look(state: State) -> None:
    """Check the disk once, and close the store, open it or make the ballast again if needed."""
    try:
        room = disk.least([state.root, *filter(Path.is_dir, [state.root / "data"])])
        if closed(state):
            if not room.below(disk.OPEN_MB, disk.OPEN_INODES):
                _open(state)
        elif room.below(disk.CLOSE_MB, disk.CLOSE_INODES):
            _close(state, room)
        else:
            disk.fill(state.root)
    except Exception as error:  # noqa: BLE001 - the next check comes in two seconds; the supervisor logs this
        print(f"{type(error).__name__}: {error}", flush=True)


def _close(state: State, room: disk.DiskRoom) -> None:
    from lakehouse.runtimes.process.supervisor import Supervisor
    from lakehouse.text.placeholders import written

    if (store := _store(state)) is None:
        return
    disk.release(state.root, 2)  # for the files that are written now
    reading = store.reading
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    how = "accepts only reads" if reading else "is stopped"
    write_private(state.run / _CLOSED, f"Since {since} the store {store.name} {how}: {room}.")
    print(closed(state), flush=True)
    if reading:
        for file in reading:
            write_private(state.config(store.name) / file.path, written(file.text, state.secret))
        Supervisor(state).restart(store.name)
    else:
        Supervisor(state).halt(store.name)


def _open(state: State) -> None:
    from lakehouse.runtimes.process.supervisor import Supervisor
    from lakehouse.text.placeholders import written

    if (store := _store(state)) is None:
        return
    for file in store.files:
        write_private(state.config(store.name) / file.path, written(file.text, state.secret))
    Supervisor(state).restart(store.name)
    (state.run / _CLOSED).unlink(missing_ok=True)
    print(f"The store {store.name} accepts writes again.", flush=True)


def _store(state: State) -> Service | None:
    from lakehouse.runtimes.definitions import service

    try:
        return service(json.loads((state.run / _STORE).read_text()))
    except FileNotFoundError:
        return None  # not started yet


def main() -> None:
    state = State(Path(os.environ["LAKEHOUSE_STATE"]))
    while True:
        look(state)
        time.sleep(_INTERVAL)


if __name__ == "__main__":
    main()
