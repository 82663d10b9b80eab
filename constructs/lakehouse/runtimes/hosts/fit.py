"""Whether hosts have what the services of a stack need: programs, memory, and room on the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import disk, memory
from lakehouse.runtimes.disk import DiskRoom
from lakehouse.services.service import Port, Service

_ROOM_MB = 2048  # free on a host's disk; with less, its packages may not fit

HostFacts = Mapping[str, Any]  # what on_host.py says of a host


def room(data: str, facts: HostFacts) -> DiskRoom:
    """Room on the disk of a host with the stack's data."""
    return DiskRoom(Path(data), facts["free_mb"], facts["free_inodes"])


def taken_ports(facts: HostFacts, ports: Iterable[Port]) -> Iterator[tuple[Port, str]]:
    """Those of the ports of services of a host that other programs have there, each with a sentence."""
    for port in ports:
        if program := facts["taken"].get(str(port.number)):
            yield port, f"port {port.number} ({port.name}) is taken by {program}"


def problems(name: str, data: str, facts: HostFacts, services: Sequence[Service]) -> Iterator[str]:
    """What would make a deploy of these services on a host fail, as sentences that name it."""
    if facts["lacks"]:
        yield f"Host {name} lacks {', '.join(facts['lacks'])}. Install that there, or name another host."
    try:
        memory.check(services, facts["memory_mb"])
    except LakehouseError as error:
        yield f"Host {name}: {error}"
    for _, taken in taken_ports(facts, (port for each in services for port in each.ports)):
        yield f"Host {name}: {taken}. Stop that, or choose another number under `ports`."
    there = room(data, facts)
    if there.below(_ROOM_MB, disk.ROOM_INODES):
        files = "" if there.inodes is None else f" and room for {disk.ROOM_INODES} files"
        yield f"Host {name}: {there}; {_ROOM_MB} MB{files} are needed. Free space there."
