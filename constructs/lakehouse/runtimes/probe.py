"""Readiness. A service that has started is not yet ready, so every service is probed until it answers."""

from __future__ import annotations

import http.client
import itertools
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Probe, Service

_INTERVAL = 0.25  # seconds between two probes
_TURNS = 4  # probes for one look at the process, which costs the supervisor more
COMMAND_SECONDS = 10  # the longest time for a probe's command
BUSY_SECONDS = 20.0  # a plan waits so long for the answer of a service that runs: a busy one must not be restarted
_DEAD = {"FATAL", "EXITED", "STOPPED", "UNKNOWN"}


@dataclass(frozen=True)
class Asked:
    """How a service is probed from here: ``host`` has its port, ``config`` is its configuration folder.

    ``environment`` is for the command of an ``exec`` probe.
    """

    config: Path = Path()
    host: str = LOOPBACK
    environment: Mapping[str, str] = field(default_factory=dict)


HERE = Asked()


def ready(probe: Probe, asked: Asked = HERE, timeout: float = 2.0) -> bool:
    """Probe the service once, for at most ``timeout`` seconds. Returns whether it is ready."""
    host = asked.host
    if probe.kind == "exec":
        return _ends_well(probe.command, asked)
    if probe.kind == "tcp":
        return _stays_open((host, probe.port), timeout)
    try:
        return _answers(probe, asked, timeout)
    except (OSError, http.client.HTTPException):  # also if the authority's certificate is missing
        return False


def _answers(probe: Probe, asked: Asked, timeout: float) -> bool:
    """Whether an HTTP request gets the expected answer. A redirection is an answer, and is not followed.

    The library of Python is used because each step of a deploy imports this: `requests` costs 0.15 s of processor time.
    """
    connection = http.client.HTTPConnection(asked.host, probe.port, timeout=timeout)
    if probe.kind == "https":
        trusted = ssl.create_default_context(cafile=str(asked.config / probe.trust) if probe.trust else None)
        connection = http.client.HTTPSConnection(asked.host, probe.port, timeout=timeout, context=trusted)
    try:
        connection.request("GET", probe.path or "/")
        answer = connection.getresponse()
        return answer.status < 400 and probe.expect in answer.read().decode(errors="replace")
    finally:
        connection.close()


def _ends_well(command: Sequence[str], asked: Asked) -> bool:
    inherited = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    try:
        done = subprocess.run(
            command, cwd=asked.config, env={**inherited, **asked.environment}, timeout=COMMAND_SECONDS, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _stays_open(address: tuple[str, int], timeout: float) -> bool:
    """Whether a connection is accepted and kept. Docker's proxy accepts any, and closes it if nothing listens."""
    try:
        with socket.create_connection(address, timeout) as connection:
            connection.settimeout(0.2)
            return connection.recv(1) != b""  # a greeting
    except TimeoutError:
        return True  # it waits for the client
    except OSError:
        return False


def await_ready(service: Service, state: State, process: Callable[[], Process | None], asked: Asked = HERE) -> float:
    """Wait until the service is ready. Returns the seconds that it took.

    Raises LakehouseError if it does not get ready, with the time, the process's state and the end of its log.
    """
    began, turns = time.monotonic(), itertools.count()
    while True:
        waited = time.monotonic() - began
        answers, late = ready(service.probe, asked), waited > service.probe.patience
        if next(turns) % _TURNS == 0 or answers or late:
            now = process()  # also after an answer, because another program might answer on the port
            if answers and now is not None and now.up:
                return waited
            if now is None or now.state in _DEAD or late:
                word = "is gone" if now is None else f"is {now.state}{f' ({now.note})' if now.note else ''}"
                raise LakehouseError(
                    f"{service.name} is not ready: {service.probe} did not answer within {waited:.0f} s "
                    f"and its process {word}.\n"
                    f"The end of {state.log(service.name)}:\n{tail(state, service.name)}"
                )
        time.sleep(_INTERVAL)


def tail(state: State, service: str, lines: int = 15) -> str:
    """The last ``lines`` lines of a service's log, indented."""
    try:
        with state.log(service).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
