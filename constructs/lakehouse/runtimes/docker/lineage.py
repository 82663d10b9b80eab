"""``python -m lakehouse.runtimes.docker.lineage FILE DATA``: takes the events of engines that run in containers.

It is :mod:`lakehouse.runtimes.process.lineage`, which also listens where containers find this machine: at its
address on Docker's own bridge. Containers of all networks reach it there; nobody is heard without the engines' key.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

import psutil

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.process import lineage


def addresses(engine: DockerEngine) -> tuple[str, ...]:
    """The addresses at which containers find this machine, besides the loopback address.

    None if the bridge is in a virtual machine, as with Docker Desktop: its calls come to the loopback address.
    """
    with errors_reported():
        name = engine.interface()
    there = psutil.net_if_addrs().get(name, ())
    return tuple(each.address for each in there if each.family == socket.AF_INET)


def main(arguments: Sequence[str] | None = None) -> None:
    try:
        found = addresses(DockerEngine())
    except LakehouseError as error:  # the supervisor starts it again
        sys.exit(f"where containers call is unknown: {error}")
    lineage.main(arguments, found)


if __name__ == "__main__":
    main()
