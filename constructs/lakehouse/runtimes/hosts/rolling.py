"""Restarts of services that are drained: one of a group at a time, and no further one after one that failed."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.hosts import remembered
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service


@contextmanager
def turn(runtime: Hosts, service: Service, incarnations: Mapping[str, Incarnation]) -> Iterator[None]:
    """The turn of a service to be started, again if it runs: then it waits for others of its group, and is drained.

    One that does not answer has nothing to lose, and does not wait. ``incarnations`` are those that a deploy plans.
    Raises LakehouseError if another of the group has failed in this deploy: what still runs is left as it is.
    """
    drain = service.drain
    if drain is None or not runtime.answers(service):
        with _noted(runtime.state, service.name, incarnations):
            yield
        return
    with _alone(runtime.state, drain.group):
        group = [each.name for each in runtime.services if each.drain and each.drain.group == drain.group]
        if failed := [name for name in group if _failed(runtime.state, name, incarnations)]:
            raise LakehouseError(
                f"{service.name} runs as before and was not restarted, because {', '.join(failed)} did not start."
            )
        ssh = runtime.hosts[runtime.place.on(service.name)]
        runtime.empty(service.name, ssh)
        try:
            with _noted(runtime.state, service.name, incarnations):
                yield
        except BaseException:  # Ctrl-C, too
            runtime.fill(service.name, ssh)  # it may run as before
            raise


@contextmanager
def _alone(state: State, group: str) -> Iterator[None]:
    with (remembered.folder(state) / f"{group}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _noted(state: State, name: str, incarnations: Mapping[str, Incarnation]) -> Iterator[None]:
    """Note the start, if it fails."""
    try:
        yield
    except LakehouseError:
        write_private(_note(state, name), str(incarnations[name]))
        raise
    _note(state, name).unlink(missing_ok=True)


def _failed(state: State, name: str, incarnations: Mapping[str, Incarnation]) -> bool:
    """Whether the start of a service has failed, as it is planned now: each is planned once only."""
    try:
        return _note(state, name).read_text() == str(incarnations[name])
    except FileNotFoundError:
        return False


def _note(state: State, name: str) -> Path:
    return remembered.folder(state) / f"{name}.failed"
