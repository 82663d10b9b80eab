"""Incarnation ids: how Terraform sees that a service died or that its definition changed.

Each service's resource is triggered by an id. At synth the runtime looks at the service: one that is healthy and
defined as before keeps the id it was started with; any other gets a new one, so ``cdktf diff`` shows it and
``cdktf deploy`` replaces just that one. New ids never repeat: Terraform keeps a resource as made when a deploy is
interrupted before its step has begun, and an id that could come again would hide that nothing was started.
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
    """``digest`` of the definition it was started from, and ``start``, which no other start has."""

    digest: str
    start: str

    @classmethod
    def new(cls, digest: str) -> Incarnation:
        """The incarnation of a start that is to come."""
        return cls(digest, secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> Incarnation:
        """The reverse of ``str``."""
        digest, _, start = text.partition("-")
        return cls(digest, start)

    def __str__(self) -> str:
        return f"{self.digest}-{self.start}"


NONE = Incarnation("", "")  # of what was never started


def digest(value: object) -> str:
    """A short digest of a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def propose(
    services: Iterable[Service],
    digests: Mapping[str, str],
    recorded: Mapping[str, Incarnation],
    healthy: Mapping[str, bool],
) -> dict[str, Incarnation]:
    """The incarnation each service should have: by its definition's digest, the last start's and whether it is well.

    A service that ``restarts_with`` another gets a new one along with it. Services come in order of their needs.
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
    """The incarnation that was started last; NONE where there was none."""
    try:
        content = json.loads(state.incarnation(name).read_text())
        return Incarnation(str(content["digest"]), str(content["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return NONE


def record(state: State, name: str, incarnation: Incarnation) -> None:
    """Remember the incarnation that was started, for the next look."""
    write_private(state.incarnation(name), json.dumps(asdict(incarnation)))
