"""The stack's network, which a step makes and removes.

The provider's own resource waits two seconds whenever it reads a network (`networkReadRefreshDelay` in its source): in
each plan, each apply, and once more before the first container is made.
"""

from __future__ import annotations

from contextlib import suppress

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.containers import STATE
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.incarnation import NONE, Incarnation, digest, record, recorded
from lakehouse.runtimes.state import State

NETWORK = "network"


def look(engine: DockerEngine, state: State, name: str) -> Incarnation:
    """The network's incarnation: a new one if it was removed, or has another name now."""
    last = recorded(state, NETWORK)
    if last != NONE:
        with suppress(LakehouseError), errors_reported():  # Docker does not answer
            if name in engine.networks(state):
                return last
    return Incarnation.new(digest(NETWORK))


def up(engine: DockerEngine, state: State, name: str, start: str) -> None:
    """Remove the networks that the stack had under other names, and create this one if it is missing.

    It is created last, because a destroy runs no step of a resource whose creation has failed.

    Raises LakehouseError if a network of others has the name.
    """
    there = engine.networks(state)
    if name not in there and (theirs := engine.owner("network", name)) is not None:
        raise LakehouseError(named_by_others("network", name, theirs))
    for former in there - {name}:  # the preflight has removed their containers
        engine.remove_network(former)
    if name not in there:
        engine.make_network(name, {STATE: str(state.root)})
    record(state, NETWORK, Incarnation(digest(NETWORK), start))


def down(engine: DockerEngine, state: State) -> None:
    """Remove the stack's networks. Terraform has removed their containers."""
    for name in engine.networks(state):
        engine.remove_network(name)


def named_by_others(kind: str, name: str, theirs: str) -> str:
    """The sentence that another lakehouse (in the state folder ``theirs``), or no lakehouse, has created it."""
    whose = f"belongs to the lakehouse in {theirs}" if theirs else "was not created by a lakehouse"
    return (
        f"The {kind} {name} {whose}. Give this lakehouse another `name` in lakehouse.yaml, "
        f"or remove that one (`docker {kind} rm {name}`)."
    )
