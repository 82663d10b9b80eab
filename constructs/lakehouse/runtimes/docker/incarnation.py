"""Which incarnation of a service runs in a container, and which one should: the container's label tells."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.runtimes.docker.containers import Container, as_asked
from lakehouse.runtimes.docker.engine import Engine
from lakehouse.runtimes.incarnation import NONE, Incarnation, propose
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service


def look(services: Sequence[Service], containers: Sequence[Container], state: State) -> dict[str, Incarnation]:
    """The incarnation each service should have, after a look at the stack's containers."""
    seen = Engine().seen(state)
    return propose(
        services,
        {each.service: each.digest for each in containers},
        {each.service: seen[each.service].incarnation if each.service in seen else NONE for each in containers},
        {each.service: each.service in seen and as_asked(each, seen[each.service]) for each in containers},
    )
