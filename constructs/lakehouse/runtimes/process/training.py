"""Makes class archives from processes: a :class:`lakehouse.runtimes.training.Way`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lakehouse.runtimes import priority, processes
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.process import archives, background, steps
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.recording import recording as recording
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service

SCRATCH = ".training-"

_START = "training"


def missing(local: Local) -> dict[Path, tuple[Service, ...]]:
    return archives.missing(local.services)


def damaged(local: Local) -> dict[Path, str]:
    return archives.damaged(local.services)


def remove(archive: Path) -> None:
    archives.remove(archive)


def possible(
    lacking: Mapping[Path, tuple[Service, ...]], say: Callable[[str], None]
) -> Mapping[Path, tuple[Service, ...]]:
    return lacking


def begin(local: Local, services: Sequence[Service], *, lowest: bool) -> None:
    steps.preflight(local.state, services, local.claim)
    steps.supervisor_up(local.state, _START)
    if lowest:
        priority.lowest_session(Supervisor(local.state).pid())


def up(local: Local, service: Service, records: Path, *, lowest: bool) -> None:
    steps.service_up(local.state, service, Incarnation.new(_START))


def down(local: Local, service: Service) -> None:
    steps.service_down(local.state, service.name)


def clear(folder: Path) -> None:
    processes.kill_below(folder)


def finish(local: Local) -> None:
    steps.supervisor_down(local.state)


def create(local: Local, archive: Path, services: Sequence[Service], records: Path, *, lowest: bool) -> int:
    archives.create(archive, services, records)
    return archive.stat().st_size


def end(state: State) -> None:
    background.end(state)
