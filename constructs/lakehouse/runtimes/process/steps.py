"""The steps that Terraform's provisioners run: preflight, supervisor up and down, a service up and down."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from lakehouse import packages, toolkit
from lakehouse.errors import LakehouseError
from lakehouse.runtimes import disk, former, generations, memory, owner, processes, renewal, trial
from lakehouse.runtimes.generations import NOTHING, Planned
from lakehouse.runtimes.incarnation import Incarnation, record, recorded
from lakehouse.runtimes.owner import OwnerClaim
from lakehouse.runtimes.probe import await_ready
from lakehouse.runtimes.process import background, jobs, leftovers, namespaces, surroundings, watch
from lakehouse.runtimes.process.incarnation import SUPERVISOR
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State, check_path, check_user, write_private
from lakehouse.services.service import Service
from lakehouse.text.placeholders import written


def preflight(
    state: State, services: Sequence[Service], claim: OwnerClaim | None = None, planned: Planned = NOTHING
) -> None:
    """Find everything that is known to make a deploy fail, before anything is stopped or started.

    Raises LakehouseError with the first problem.
    """
    if claim is not None:
        owner.check(state, claim)
    check_user()
    check_path(state.root)
    if refused := namespaces.refusal(services):
        raise LakehouseError(f"{refused}. Either {namespaces.FIX}.")
    state.prepare()
    disk.check(state.root)
    memory.check(services, memory.machine()[0])
    if claim is not None:
        owner.mark(state, claim)
    check_packages(services)
    generations.make(state, services, planned)
    for each in services:
        for file in each.files:
            written(file.text, state.secret)  # a secret that cannot be read, a file that the lakehouse's file names
    trial.check(state, services)
    ports = [port for each in services for port in each.ports]
    if moved := processes.moved(state):
        raise LakehouseError(
            f"The services of this lakehouse run since before its folder was moved: they were started in {moved}, "
            f"which is {state.root} now. `lakehouse destroy` stops them and keeps the data; then deploy again."
        )
    if sentences := processes.taken(ports, state):
        stack = state.root.name if claim is None else claim.owner.stack  # whose folder may have another name
        raise LakehouseError(processes.refusal(sentences, ports, stack))


def check_packages(services: Sequence[Service]) -> None:
    """Raises LakehouseError if packages of the services are missing in the cache, or damaged."""
    missing = sorted({path for each in services for path in _packages(each) if not Path(path).exists()})
    if missing:
        raise LakehouseError(f"Missing: {', '.join(missing)}. `{toolkit.command('setup')}` fetches what is missing.")
    names = sorted({name for each in services for name in each.packages})
    if damaged := [why for name in names for why in packages.missing(name)[:1]]:
        raise LakehouseError(f"Damaged: {'; '.join(damaged)}. `{toolkit.command('setup')}` fetches it again.")


def stop_replaced(state: State, planned: Mapping[str, tuple[Service, Incarnation]]) -> None:
    """Stop the services that will be started again, and those that the file no longer names, so that ports are free.

    Terraform runs no destroy step for a resource that is replaced or whose block is gone.
    """
    supervisor = Supervisor(state)
    running = supervisor.processes().keys()
    for name in running - planned.keys():
        service_down(state, name)
    for name, (_, incarnation) in planned.items():
        if name in running and recorded(state, name) != incarnation:
            service_down(state, name)


def hand_over(state: State, services: Iterable[Service]) -> None:
    """Give renewed certificates to the services that go on running and take them."""
    running = {name for name, each in Supervisor(state).processes().items() if each.up}
    some = tuple(each for each in services if each.name in running)
    for name in renewal.hand_over(state, some, Processes(state, some)):
        print(f"{name} has a renewed certificate, and goes on")


def supervisor_up(
    state: State, start: str, *, left: Callable[[], Iterable[psutil.Process]] | None = None, watched: bool = True
) -> None:
    """Start supervisord. Processes that a killed supervisord ``left`` behind (None: all) are ended first.

    ``watched``: it also watches the disk.
    """
    state.prepare()
    supervisor = Supervisor(state)
    if not supervisor.alive():
        processes.end(processes.belonging(state) if left is None else left())
        if left is None:
            background.end(state)
        for conf in state.conf_d.glob("*.conf"):
            conf.unlink()
    supervisor.start(watched=watched)
    record(state, SUPERVISOR, Incarnation(SUPERVISOR, start))


def supervisor_down(state: State) -> None:
    """Stop supervisord and every process of the lakehouse. Data, logs and secrets stay."""
    Supervisor(state).stop()
    processes.end(processes.belonging(state))
    background.end(state)
    leftovers.remove(state)
    shutil.rmtree(state.run, ignore_errors=True)
    state.socket.unlink(missing_ok=True)


def service_up(state: State, service: Service, incarnation: Incarnation) -> float:
    """Start a service and wait until it is ready, or run a job that has not yet run. Returns the seconds that it took.

    Raises LakehouseError if the service does not get ready, or if the job fails.
    """
    if service.is_job and recorded(state, service.name) == incarnation:
        return 0.0
    shutil.rmtree(state.temporary(service.name), ignore_errors=True)
    folders = (*service.data, str(state.config(service.name)), str(state.temporary(service.name)), service.directory)
    for folder in folders:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
    former.clear(state, service)
    for file in service.files:
        path = state.config(service.name) / file.path
        if not (file.once and path.exists()):
            write_private(path, written(file.text, state.secret))
    if service.is_job:
        took = jobs.run(state, service)
        record(state, service.name, incarnation)
        return took
    if service.reading is not None:
        watch.watched(state, service)
    leftovers.note(state, service)
    supervisor = Supervisor(state)
    supervisor.add(service)
    asked = surroundings.asked(service, state)
    took = await_ready(service, state, lambda: supervisor.processes().get(service.name), asked)
    record(state, service.name, incarnation)
    return took


def service_down(state: State, name: str) -> None:
    """Stop a service, even if a killed supervisor left it behind."""
    Supervisor(state).remove(name)
    processes.end(processes.belonging(state, name))
    leftovers.remove(state, name)


def _packages(service: Service) -> list[str]:
    """The paths in a command that must exist: the program and the jars."""
    return [service.command[0], *(word for word in service.command if word.startswith("/") and word.endswith(".jar"))]
