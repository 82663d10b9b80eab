"""The state of a lakehouse: each service's health, process, memory and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap.operations.endpoints import ServiceEndpoint, of_service
from bootstrap.session.target import Target
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.runs import WELL, Runs
from lakehouse.runtimes.runtime import Process
from lakehouse.services.service import Service
from lakehouse.spec import LocalStack


@dataclass(frozen=True)
class ServiceStatus:
    """A service as it is now. ``memory_mb`` is resident memory in MiB, including executors that a worker started."""

    name: str
    healthy: bool
    state: str  # the runtime's word, or DOWN if it does not run
    pid: int | None
    uptime_seconds: int | None
    memory_mb: int | None
    endpoints: tuple[ServiceEndpoint, ...]


def look(target: Target) -> list[ServiceStatus]:
    """The state of every service of the stack."""
    local = target.local
    runtime = local.runtime
    return combine(local, runtime.healthy(), runtime.processes(), runtime.memory())


def combine(
    local: Local,
    health: Mapping[str, bool],
    processes: Mapping[str, Process],
    memory: Mapping[str, int],
) -> list[ServiceStatus]:
    """One status from what the probes and the runtime report; pure. ``memory`` is in bytes."""
    return [
        _one(each, local, health[each.name], processes.get(each.name), memory.get(each.name)) for each in local.services
    ]


def _one(service: Service, local: Local, health: bool, process: Process | None, memory: int | None) -> ServiceStatus:
    runs = process is not None and process.pid > 0
    return ServiceStatus(
        name=service.name,
        healthy=health,
        state=process.state if process else "DOWN",
        pid=process.pid if process and runs else None,
        uptime_seconds=process.uptime if process and runs else None,
        memory_mb=None if memory is None else memory >> 20,
        endpoints=tuple(of_service(service, local.place, local.listeners)),
    )


def duration(seconds: int | None) -> str:
    """Seconds in readable form: ``3d 4h``, ``2h 5m``, ``4m 10s``, ``7s``; a dash for none."""
    if seconds is None:
        return "-"
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days}d {hours}h"
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {seconds % 60}s" if minutes else f"{seconds}s"


def scheduled(target: Target) -> str:
    """How the schedule goes, as text; empty if the stack has none."""
    options = target.lakehouse.stacks[target.stack]
    if not isinstance(options, LocalStack) or options.schedule is None:
        return ""
    known = Runs(target.local.state)
    if not known.served():
        return "the scheduler does not run: `lakehouse deploy` starts it"
    bad = [name for name in options.schedule.times if (last := known.last(name)) and last.outcome not in WELL]
    failed = f"; the last run failed of {', '.join(bad)}: `lakehouse schedule history`" if bad else ""
    return f"{', '.join(options.schedule.times)}{failed}"
