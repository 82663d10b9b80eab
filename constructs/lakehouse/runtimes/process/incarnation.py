"""Incarnation ids: how Terraform sees that a service died or that its definition changed.

Each service's resource is triggered by an id. At synth the runtime looks at the service: one that is healthy and
defined as before keeps the id it was started with; any other gets the next one, so ``cdktf diff`` shows it and
``cdktf deploy`` replaces just that one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from lakehouse.runtimes.process.probe import ready
from lakehouse.runtimes.process.state import State, write_private
from lakehouse.runtimes.process.supervisor import Supervisor
from lakehouse.services.service import Service

SUPERVISOR = "supervisord"


@dataclass(frozen=True)
class Incarnation:
    """``digest`` of the definition it was started from, and the how-manieth start it was."""

    digest: str
    generation: int

    def __str__(self) -> str:
        return f"{self.digest}-{self.generation}"


def digest(value: object) -> str:
    """A short digest of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def recorded(state: State, name: str) -> Incarnation:
    """The incarnation that was started last; generation 0 where there was none."""
    try:
        content = json.loads(state.incarnation(name).read_text())
        return Incarnation(str(content["digest"]), int(content["generation"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Incarnation("", 0)


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
    return propose(services, {each.name: recorded(state, each.name) for each in services}, healthy(services, state))


def look_supervisor(state: State) -> Incarnation:
    """The supervisor's incarnation: the next one where it does not answer."""
    last = recorded(state, SUPERVISOR)
    return last if last.generation and Supervisor(state).alive() else Incarnation(SUPERVISOR, last.generation + 1)


def propose(
    services: Iterable[Service], recorded: Mapping[str, Incarnation], healthy: Mapping[str, bool]
) -> dict[str, Incarnation]:
    """The incarnation each service should have; pure.

    A service that ``restarts_with`` another gets a new one along with it. Services come in order of their needs.
    """
    proposed: dict[str, Incarnation] = {}
    renewed: set[str] = set()
    for each in services:
        last, now = recorded[each.name], digest(asdict(each))
        if last.digest == now and healthy[each.name] and not renewed.intersection(each.restarts_with):
            proposed[each.name] = last
        else:
            proposed[each.name] = Incarnation(now, last.generation + 1)
            renewed.add(each.name)
    return proposed
