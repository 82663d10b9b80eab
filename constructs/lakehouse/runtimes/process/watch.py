"""``python -m lakehouse.runtimes.process.watch``: keeps the disk from running full, under the supervisor.

While the disk has next to no room, the store takes no writes: it is started again as one that only reads, or is
stopped where its kind has no such mode. So what must still be written (a catalog's log, a clean end) finds room. The
store takes writes again as soon as there is room.
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

_INTERVAL = 2.0  # seconds between two looks; each is two system calls
_CLOSED, _STORE = "closed", "store.json"


def closed(state: State) -> str:
    """Why the store takes no writes now; empty where it does."""
    try:
        return (state.run / _CLOSED).read_text()
    except OSError:
        return ""


def watched(state: State, service: Service) -> None:
    """Notes that this is the store: it was started as one that takes writes."""
    (state.run / _CLOSED).unlink(missing_ok=True)
    write_private(state.run / _STORE, json.dumps(asdict(service)))


def look(state: State) -> None:
    """One look: closes the store, opens it, makes the ballast again, or nothing."""
    try:
        room = disk.least([state.root, *filter(Path.is_dir, [state.root / "data"])])
        if closed(state):
            if not room.below(disk.OPEN_MB, disk.OPEN_INODES):
                _open(state)
        elif room.below(disk.CLOSE_MB, disk.CLOSE_INODES):
            _close(state, room)
        else:
            disk.fill(state.root)
    except Exception as error:  # noqa: BLE001 - the next look is two seconds away; the supervisor keeps this in its log
        print(f"{type(error).__name__}: {error}", flush=True)


def _close(state: State, room: disk.DiskRoom) -> None:
    from lakehouse.runtimes.process.supervisor import Supervisor
    from lakehouse.text.placeholders import written

    if (store := _store(state)) is None:
        return
    disk.release(state.root, 2)  # for the files that are written now
    reading = store.reading
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    how = "takes no writes, reads go on" if reading else "is stopped"
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
    print(f"The store {store.name} takes writes again.", flush=True)


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
