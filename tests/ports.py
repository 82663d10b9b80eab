"""Ports for servers that tests start."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

# Below the kernel's ephemeral ports (net.ipv4.ip_local_port_range), which an outgoing connection could take between
# the check and the start.
_FIRST, _EACH, _PARTS = 20_000, 750, 16


@cache
def _part() -> tuple[IO[str], list[int]]:
    """This process's own part of the ports, in random order, with the lock that holds it until the process ends.

    A server starts long after its port was chosen: suites that run in parallel must not choose the same one.
    """
    folder = Path(tempfile.gettempdir()) / f"lakehouse-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for part in range(_PARTS):
        lock = (folder / str(part)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        begin = _FIRST + part * _EACH
        return lock, random.SystemRandom().sample(range(begin, begin + _EACH), _EACH)
    raise AssertionError(f"{_PARTS} test runs hold all ports: see {folder}")


def free(count: int) -> list[int]:
    """That many ports of the loopback address that nothing listens on, those that were given longest ago first."""
    _, ports = _part()
    found: list[int] = []
    for number in list(ports):
        if len(found) == count:
            break
        with socket.socket() as probe:
            # As most servers do: a connection that has just been closed does not count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError:
                continue
        found.append(number)
    ports[:] = [each for each in ports if each not in found] + found
    assert len(found) == count, f"only {len(found)} of {count} ports are free"
    return found
