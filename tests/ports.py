"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket

# Below the kernel's ephemeral ports (net.ipv4.ip_local_port_range), which an outgoing connection could take between
# the check and the start. Two suites that run in parallel choose at random.
_RANGE = range(20_000, 32_000)


def free(count: int) -> list[int]:
    """That many ports of the loopback address that nothing listens on."""
    found: list[int] = []
    for number in random.SystemRandom().sample(_RANGE, len(_RANGE)):
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
    return found
