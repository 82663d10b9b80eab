"""Whether hosts have what the services of a stack need: programs, memory, room on the disk, the time, and their names
for this stack only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import disk, memory, owner
from lakehouse.runtimes.disk import DiskRoom
from lakehouse.runtimes.hosts import remembered
from lakehouse.runtimes.hosts.place import Layout
from lakehouse.runtimes.incarnation import NONE
from lakehouse.runtimes.state import State
from lakehouse.services.service import Port, Service
from lakehouse.spec.hosts import Host

_ROOM_MB = 2048  # free on a host's disk; with less, its packages may not fit

_CLOCK = 120  # seconds that a clock may be wrong; a signed request may be 900 s old, a new certificate holds from now

HostFacts = Mapping[str, Any]  # what on_host.py says of a host


def timed(found: HostFacts, began: float) -> dict[str, Any]:
    """The facts of a host that was asked then, with ``clock``: the seconds that its clock is ahead of this machine's,
    behind it if they are negative.
    """
    ahead, behind = found["time"] - time.time(), began - found["time"]
    return {**found, "clock": max(0.0, ahead) - max(0.0, behind)}  # at most one of them is positive


def room(facts: HostFacts) -> DiskRoom:
    """Room on the disk of a host with the stack's data, or with its packages, if that is another one and has less."""
    return DiskRoom(Path(facts["free_at"]), facts["free_mb"], facts["free_inodes"])


def wrong_clock(facts: HostFacts) -> str:
    """That the clock of a host is wrong, as text; empty if it is not."""
    off = facts["clock"]
    way = "ahead of" if off > 0 else "behind"
    return f"its clock is {abs(off):.0f} s {way} this machine's" if abs(off) > _CLOCK else ""


def taken_ports(facts: HostFacts, ports: Iterable[Port]) -> Iterator[tuple[Port, str]]:
    """Those of the ports of services of a host that other programs have there, each with a sentence."""
    for port in ports:
        if program := facts["taken"].get(str(port.number)):
            yield port, f"port {port.number} ({port.name}) is taken by {program}"


def doubled(facts: Mapping[str, HostFacts]) -> Iterator[str]:
    """The hosts that are the same machine as another one, by two addresses, as sentences."""
    first: dict[str, str] = {}
    for name, each in facts.items():
        if each["machine"] and (other := first.setdefault(each["machine"], name)) != name:
            yield f"Host {name} is the same machine as {other}. Remove one of the two from `hosts`."


def others(name: str, layout: Layout, facts: HostFacts, state: State, host: Host) -> Iterator[str]:
    """Why what is on a host under the stack's name is not the one that this lakehouse has set up, as sentences."""
    own, known = owner.read(state.root), remembered.recall(state, name)
    there, _, words = facts["owner"].partition(" ")
    if there and there != (own.id if own else ""):
        yield (
            f"Host {name} has a {words}, which is also {layout.id} there. Choose another `name`, or another name for "
            f"the stack; if it is this one, or gone for good, remove {layout.data}/owner there."
        )
    before = known.host if known else host
    if not there and known and known.incarnation != NONE and (before.address, before.port) != (host.address, host.port):
        yield (
            f"Host {name} was {before.address}, port {before.port}, and {host.address}, port {host.port}, is another "
            "machine, on which nothing of the stack is. Give that another name, so that the former is cleared; if "
            f"that is gone for good, remove {remembered.path_of(state, name)}."
        )


def closed(name: str, facts: HostFacts, hosts: Iterable[Host], clients: Iterable[IPv4Network]) -> str:
    """That the firewall of a host will not let this machine in, as a sentence; empty if it will, or nobody knows."""
    try:
        seen = IPv4Address(facts["caller"])
    except AddressValueError:
        return ""
    if any(seen in each for each in clients) or str(seen) in {each.inside for each in hosts}:
        return ""
    return (
        f"Host {name} sees this machine as {seen}, which `clients` does not have: its firewall keeps it from the "
        "services, unless it reaches them in another way than by ssh. Add that address."
    )


def problems(name: str, facts: HostFacts, services: Sequence[Service]) -> Iterator[str]:
    """What would make a deploy of these services on a host fail, as sentences that name it."""
    if facts["lacks"]:
        yield f"Host {name} lacks {', '.join(facts['lacks'])}. Install that there, or name another host."
    try:
        memory.check(services, facts["memory_mb"])
    except LakehouseError as error:
        yield f"Host {name}: {error}"
    for _, taken in taken_ports(facts, (port for each in services for port in each.ports)):
        yield f"Host {name}: {taken}. Stop that, or choose another number under `ports`."
    if clock := wrong_clock(facts):
        yield f"Host {name}: {clock}. Set one of the two: signed requests, tokens and certificates hold for a time."
    there = room(facts)
    if there.below(_ROOM_MB, disk.ROOM_INODES):
        files = "" if there.inodes is None else f" and room for {disk.ROOM_INODES} files"
        yield f"Host {name}: {there}; {_ROOM_MB} MB{files} are needed. Free space there."
