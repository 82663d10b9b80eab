"""Files that services leave outside the state folder. They are noted at a start, and removed after the end."""

from __future__ import annotations

from pathlib import Path

from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service


def note(state: State, service: Service) -> None:
    """Note the files of a service that is about to start: what ends it later knows only its name."""
    if service.leaves:
        write_private(_noted(state) / service.name, "\n".join(service.leaves))


def remove(state: State, name: str = "*") -> None:
    """Remove the files of a service that has ended, by default of all; one that is not there is passed over."""
    for noted in _noted(state).glob(name):
        for path in noted.read_text().splitlines():
            Path(path).unlink(missing_ok=True)
        noted.unlink()


def _noted(state: State) -> Path:
    return state.run / "leaves"
