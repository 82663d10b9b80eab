"""Puts renewed certificates into the files of running services, which take them without a restart if they can."""

from __future__ import annotations

from collections.abc import Iterable

from lakehouse.runtimes.runtime import Runtime
from lakehouse.runtimes.state import State
from lakehouse.services.certificate import AUTHORITY
from lakehouse.services.service import File, Service
from lakehouse.text import pkcs12
from lakehouse.text.placeholders import Keystore, issued, parts, written


def outdated(state: State, service: Service) -> tuple[File, ...]:
    """The files of a service's configuration with another certificate or key of its own than the state folder has."""
    own = (file for file in service.files if any(part.certificate != AUTHORITY for part in issued(file.text)))
    return tuple(file for file in own if not _is_current(state, service, file))


def hand_over(state: State, services: Iterable[Service], runtime: Runtime) -> list[str]:
    """Write the outdated files of services that take them while they run. Returns the names of these services."""
    found = [(each, files) for each in services if each.renewal and (files := outdated(state, each))]
    for service, files in found:
        runtime.configure(service.name, files)
        if service.renewal != "itself":
            runtime.signal(service.name, service.renewal)
    return [service.name for service, _ in found]


def _is_current(state: State, service: Service, file: File) -> bool:
    try:
        there = (state.config(service.name) / file.path).read_bytes()
    except FileNotFoundError:
        return False
    match parts(file.text):
        case (Keystore(_, chain),):  # two of the same are never equal
            return pkcs12.holds(there, state.secret(chain.kept))
    return there == written(file.text, state.secret)
