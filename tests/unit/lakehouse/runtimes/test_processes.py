"""Who holds a port, on this machine as it is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from lakehouse.runtimes import processes
from lakehouse.runtimes.state import State
from lakehouse.services.service import Port


def test_who_holds_a_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        number = stranger.getsockname()[1]
        (holder,) = processes.holders([Port("trino", number)], State(tmp_path))
    assert (holder.port, holder.number, holder.pid, holder.lakehouse) == ("trino", number, os.getpid(), "")
    assert f"(pid {os.getpid()}," in holder.sentence
    assert processes.holders([Port("trino", number)], State(tmp_path)) == []
