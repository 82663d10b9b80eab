"""Readiness: "started" is not "ready", so every service is asked until it answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import requests

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Probe, Service

_INTERVAL = 0.25  # seconds between two questions
_DEAD = {"FATAL", "EXITED", "STOPPED", "UNKNOWN"}


def ready(probe: Probe, timeout: float = 2.0, host: str = LOOPBACK) -> bool:
    """One question: does the service answer as a ready one? ``host`` is where its port is."""
    if probe.kind == "tcp":
        return _stays_open((host, probe.port), timeout)
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy set in the shell must not stand between us and loopback
            answer = session.get(f"http://{host}:{probe.port}{probe.path}", timeout=timeout)
    except requests.RequestException:
        return False
    return answer.ok and probe.expect in answer.text


def _stays_open(address: tuple[str, int], timeout: float) -> bool:
    """Whether a connection is taken and kept: Docker's proxy takes any, and drops it where nobody listens behind."""
    try:
        with socket.create_connection(address, timeout) as connection:
            connection.settimeout(0.2)
            return connection.recv(1) != b""  # a greeting
    except TimeoutError:
        return True  # it waits for us to speak
    except OSError:
        return False


def await_ready(service: Service, state: State, process: Callable[[], Process | None]) -> float:
    """Waits until the service is ready; returns the seconds it took.

    Raises LakehouseError with what was awaited, for how long, the process's state and the end of its log.
    """
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        now = process()
        if now is not None and now.up and ready(service.probe):
            return waited  # the process first: what answers on the port might be somebody else
        if now is None or now.state in _DEAD or waited > service.probe.patience:
            word = "is gone" if now is None else f"is {now.state}{f' ({now.note})' if now.note else ''}"
            what = f"port {service.probe.port}{service.probe.path if service.probe.kind == 'http' else ''}"
            raise LakehouseError(
                f"{service.name} is not ready: {what} did not answer within {waited:.0f} s and its process {word}.\n"
                f"The end of {state.log(service.name)}:\n{tail(state, service.name)}"
            )
        time.sleep(_INTERVAL)


def tail(state: State, service: str, lines: int = 15) -> str:
    """The last lines of a service's log, indented."""
    try:
        with state.log(service).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
