"""Incarnation ids, by which Terraform sees that a service died or that its definition changed.

An id triggers each service's resource. At synth the runtime checks the service: if it is healthy and its definition is
unchanged, it keeps the id with which it was started. Otherwise it gets a new id, so ``cdktf diff`` shows it and
``cdktf deploy`` replaces only that service. Ids never repeat: if a deploy is interrupted before a step begins,
Terraform keeps the resource as created, and a repeated id would hide that nothing was started.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service


@dataclass(frozen=True)
class Incarnation:
    """``digest`` of the definition with which the service was started, and ``start``, which is unique to the start."""

    digest: str
    start: str

    @classmethod
    def new(cls, digest: str) -> Incarnation:
        """The incarnation of the next start."""
        return cls(digest, secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> Incarnation:
        """The incarnation from its ``str``."""
        digest, _, start = text.partition("-")
        return cls(digest, start)

    def __str__(self) -> str:
        return f"{self.digest}-{self.start}"


NONE = Incarnation("", "")  # of a service that was never started


def digest(value: object) -> str:
    """A short digest of a value that can be written as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def propose(
    services: Iterable[Service],
    digests: Mapping[str, str],
    recorded: Mapping[str, Incarnation],
    healthy: Mapping[str, bool],
) -> dict[str, Incarnation]:
    """The next incarnation of each service, by the digests of its definition and of its last start, and its health.

    A service that ``restarts_with`` another gets a new one if the other does. Services must be in the order of their
    needs.
    """
    proposed: dict[str, Incarnation] = {}
    renewed: set[str] = set()
    for each in services:
        last, now = recorded[each.name], digests[each.name]
        if last.digest == now and healthy[each.name] and not renewed.intersection(each.restarts_with):
            proposed[each.name] = last
        else:
            proposed[each.name] = Incarnation.new(now)
            renewed.add(each.name)
    return proposed


def recorded(state: State, name: str) -> Incarnation:
    """The incarnation that was started last; NONE if there was none."""
    try:
        content = json.loads(state.incarnation(name).read_text())
        return Incarnation(str(content["digest"]), str(content["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return NONE


def record(state: State, name: str, incarnation: Incarnation) -> None:
    """Record the incarnation that was started, for the next synth."""
    write_private(state.incarnation(name), json.dumps(asdict(incarnation)))
