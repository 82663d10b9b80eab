"""Which incarnation of a service runs as a process, and which one should."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from lakehouse.runtimes.incarnation import NONE, Incarnation, digest, propose
from lakehouse.runtimes.probe import ready
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service

SUPERVISOR = "supervisord"


def recorded(state: State, name: str) -> Incarnation:
    """The incarnation that was started last; NONE where there was none."""
    try:
        content = json.loads(state.incarnation(name).read_text())
        return Incarnation(str(content["digest"]), str(content["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return NONE


def record(state: State, name: str, incarnation: Incarnation) -> None:
    write_private(state.incarnation(name), json.dumps(asdict(incarnation)))


def healthy(services: Iterable[Service], state: State) -> dict[str, bool]:
    """Whether each service runs under the supervisor and answers as a ready one."""
    some = list(services)
    running = {name for name, each in Supervisor(state).processes().items() if each.up}
    if not running:
        return dict.fromkeys((each.name for each in some), False)
    with ThreadPoolExecutor(max_workers=len(some)) as pool:
        answers = pool.map(lambda each: each.name in running and ready(each.probe), some)
        return {each.name: answer for each, answer in zip(some, answers, strict=True)}


def look(services: Sequence[Service], state: State) -> dict[str, Incarnation]:
    """The incarnation each service should have, after a look at what runs."""
    return propose(
        services,
        {each.name: digest(asdict(each)) for each in services},
        {each.name: recorded(state, each.name) for each in services},
        healthy(services, state),
    )


def look_supervisor(state: State) -> Incarnation:
    """The supervisor's incarnation: a new one where it does not answer."""
    last = recorded(state, SUPERVISOR)
    return last if last != NONE and Supervisor(state).alive() else Incarnation.new(SUPERVISOR)
