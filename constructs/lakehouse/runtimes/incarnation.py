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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field

from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service


@dataclass(frozen=True)
class Incarnation:
    """``digest`` of the definition with which the service was started, and ``start``, which is unique to the start.

    ``why`` is the reason for this start, as text. Terraform's plan shows it beside the id.
    """

    digest: str
    start: str
    why: str = field(default="", compare=False)

    @classmethod
    def new(cls, digest: str, why: str = "") -> Incarnation:
        """The incarnation of the next start."""
        return cls(digest, secrets.token_hex(4), why)

    @classmethod
    def parse(cls, text: str) -> Incarnation:
        """The incarnation from its ``str``."""
        digest, _, rest = text.partition("-")
        start, _, why = rest.partition(": ")
        return cls(digest, start, why)

    def __str__(self) -> str:
        return f"{self.digest}-{self.start}" + (f": {self.why}" if self.why else "")


NONE = Incarnation("", "")  # of a service that was never started


def digest(value: object) -> str:
    """A short digest of a value that can be written as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Renewal:
    """Why a service gets a new incarnation: what differs from the last one, which is NONE at the first start."""

    last: Incarnation
    changed: bool  # its definition
    well: bool  # it runs and is ready
    followed: tuple[str, ...]  # services that start again, and with which it must


#: The reason as text.
Because = Callable[[Service, Renewal], str]


def silent(service: Service, renewal: Renewal) -> str:
    """No reason."""
    return ""


def propose(
    services: Iterable[Service],
    digests: Mapping[str, str],
    recorded: Mapping[str, Incarnation],
    healthy: Mapping[str, bool],
    because: Because = silent,
) -> dict[str, Incarnation]:
    """The next incarnation of each service, by the digests of its definition and of its last start, and its health.

    A service that ``restarts_with`` another gets a new one if the other does. Services must be in the order of their
    needs.
    """
    proposed: dict[str, Incarnation] = {}
    renewed: set[str] = set()
    for each in services:
        last, now = recorded[each.name], digests[each.name]
        followed = tuple(name for name in each.restarts_with if name in renewed)
        if last.digest == now and healthy[each.name] and not followed:
            proposed[each.name] = last
        else:
            renewal = Renewal(last, last.digest != now, healthy[each.name], followed)
            proposed[each.name] = Incarnation.new(now, because(each, renewal))
            renewed.add(each.name)
    return proposed


def recorded(state: State, name: str) -> Incarnation:
    """The incarnation that was started last; NONE if there was none."""
    try:
        content = json.loads(state.incarnation(name).read_text())
        return Incarnation(str(content["digest"]), str(content["start"]), str(content.get("why", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return NONE


def record(state: State, name: str, incarnation: Incarnation) -> None:
    """Record the incarnation that was started, for the next synth."""
    write_private(state.incarnation(name), json.dumps(asdict(incarnation)))
