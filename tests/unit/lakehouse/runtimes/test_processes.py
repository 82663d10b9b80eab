"""Who holds a port, on this machine as it is."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

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


def test_the_line_that_chooses_other_ports_names_free_ones(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        number = stranger.getsockname()[1]
        ports = [Port("trino", number), Port("nessie", number + 1)]
        sentences = processes.taken(ports[:1], State(tmp_path))
        said = processes.refusal(sentences, ports, "local", "container x")
    assert said.startswith(f"Port {number} (trino) is taken by ")
    [(name, chosen)] = re.findall(r" \(container x\)\. Stop that process, or write `ports: {(\w+): (\d+)}`", said)
    assert name == "trino"
    assert int(chosen) > number + 1, "the next one is Nessie's"
    assert said.endswith(" under stacks.local in lakehouse.yaml.")
    assert processes.taken(ports[:1], State(tmp_path)) == {}


def test_a_refusal_keeps_names_as_they_are_written(tmp_path: Path) -> None:
    said = processes.refusal({"web": "port 81 (web) is taken by Xorg (pid 4, user Ann)"}, [Port("web", 81)], "local")
    assert said.startswith("Port 81 (web) is taken by Xorg (pid 4, user Ann). ")


def test_what_a_supervisor_starts_while_it_is_killed_is_killed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    started: list[subprocess.Popen[bytes]] = []

    def below(folder: Path) -> Iterator[psutil.Process]:
        if len(started) < 2:  # the second one appears after the first look
            started.append(subprocess.Popen(command))
            yield psutil.Process(started[-1].pid)

    monkeypatch.setattr(processes, "below", below)
    try:
        processes.kill_below(tmp_path)
        assert len(started) == 2
        for each in started:
            each.wait(10)  # raises if it runs
    finally:
        for each in started:
            each.kill()
            each.wait()


def test_one_that_cannot_be_killed_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []

    def below(folder: Path) -> Iterator[str]:
        looks.append(folder)
        yield "a process"

    monkeypatch.setattr(processes, "below", below)
    monkeypatch.setattr(processes, "kill", lambda some: None)
    processes.kill_below(tmp_path)
    assert 1 < len(looks) < 10
