"""The steps that Terraform's provisioners run: preflight, supervisor up and down, a service up and down."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import former
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.process import processes
from lakehouse.runtimes.process.incarnation import SUPERVISOR, record
from lakehouse.runtimes.process.probe import await_ready
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State, check_room, write_private
from lakehouse.services.service import Service
from lakehouse.text.placeholders import filled


def preflight(state: State, services: Sequence[Service]) -> None:
    """Everything that can be known to fail is found here, before anything starts.

    Services that the file no longer names are stopped: Terraform runs no destroy step where the block is gone.
    """
    state.prepare()
    check_room(state.root)
    missing = sorted({path for each in services for path in _packages(each) if not Path(path).exists()})
    if missing:
        raise LakehouseError(f"Not there: {', '.join(missing)}. `make setup` fetches what is missing.")
    named = {each.name for each in services}
    supervisor = Supervisor(state)
    for name in supervisor.processes().keys() - named:
        supervisor.remove(name)
    ports = [port for each in services for port in each.ports]
    if sentences := processes.taken(ports, state):
        raise LakehouseError(
            "; ".join(sentences).capitalize()
            + ". Stop that process, or choose other ports under stacks.NAME.ports in lakehouse.yaml."
        )


def supervisor_up(state: State, start: str) -> None:
    """supervisord runs; processes that a killed one left behind are ended first."""
    state.prepare()
    supervisor = Supervisor(state)
    if not supervisor.alive():
        processes.end(processes.belonging(state))
        for conf in state.conf_d.glob("*.conf"):
            conf.unlink()
    supervisor.start()
    record(state, SUPERVISOR, Incarnation(SUPERVISOR, start))


def supervisor_down(state: State) -> None:
    """No process of the lakehouse is left; data, logs and secrets are."""
    Supervisor(state).stop()
    processes.end(processes.belonging(state))
    shutil.rmtree(state.run, ignore_errors=True)
    state.socket.unlink(missing_ok=True)


def service_up(state: State, service: Service, incarnation: Incarnation) -> float:
    """Starts a service and waits until it is ready; returns the seconds that took."""
    for folder in (*service.data, str(state.config(service.name)), service.directory):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
    former.clear(state, service)
    for file in service.files:
        write_private(state.config(service.name) / file.path, filled(file.text, state.secret))
    supervisor = Supervisor(state)
    supervisor.add(service)
    took = await_ready(service, state, lambda: supervisor.processes().get(service.name))
    record(state, service.name, incarnation)
    return took


def service_down(state: State, name: str) -> None:
    """Stops a service, whether the supervisor knows it or a killed supervisor left it behind."""
    Supervisor(state).remove(name)
    processes.end(processes.belonging(state, name))


def _packages(service: Service) -> list[str]:
    """The paths of a command that must be there for it to start at all."""
    return [service.command[0], *(word for word in service.command if word.startswith("/") and word.endswith(".jar"))]
