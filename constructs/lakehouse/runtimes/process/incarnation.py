"""The incarnations of services that run as processes, and those that should run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from lakehouse.runtimes.generations import NOTHING, Planned, marked, used
from lakehouse.runtimes.incarnation import NONE, Because, Incarnation, digest, propose, recorded, silent
from lakehouse.runtimes.probe import BUSY_SECONDS, ready
from lakehouse.runtimes.process import surroundings
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.text.later import definition

SUPERVISOR = "supervisord"


def healthy(services: Iterable[Service], state: State, timeout: float = 2.0) -> dict[str, bool]:
    """Whether each service runs under the supervisor and is ready, which it says within ``timeout`` seconds."""
    some = list(services)
    if not some:
        return {}
    running = {name for name, each in Supervisor(state).processes().items() if each.up}
    if not running:
        return dict.fromkeys((each.name for each in some), False)
    with ThreadPoolExecutor(max_workers=len(some)) as pool:
        answers = pool.map(
            lambda each: each.name in running and ready(each.probe, surroundings.asked(each, state), timeout), some
        )
        return {each.name: answer for each, answer in zip(some, answers, strict=True)}


def wanted(service: Service, planned: Planned) -> str:
    """The digest with which a service should run."""
    return marked(digest(definition(service)), used(service), planned)


def look(
    services: Sequence[Service], state: State, planned: Planned = NOTHING, because: Because = silent
) -> dict[str, Incarnation]:
    """The incarnation that each service should have, from what runs now."""
    return propose(
        services,
        {each.name: wanted(each, planned) for each in services},
        {each.name: recorded(state, each.name) for each in services},
        {each.name: True for each in services if each.is_job}  # a job that has succeeded is done
        | healthy([each for each in services if not each.is_job], state, BUSY_SECONDS),
        because,
    )


def look_supervisor(state: State) -> Incarnation:
    """The supervisor's incarnation: a new one if it does not answer."""
    last = recorded(state, SUPERVISOR)
    return last if last != NONE and Supervisor(state).alive() else Incarnation.new(SUPERVISOR)
