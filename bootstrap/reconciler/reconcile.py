"""Make what is there be what the file says: facts, diff, plan and apply, again until nothing is left to do."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bootstrap.connections import Connections
from bootstrap.errors import StalePlan
from bootstrap.reconciler.apply import Done, Outcome, Progress, apply
from bootstrap.reconciler.diff import Where, diff, nowhere
from bootstrap.reconciler.facts import gather
from bootstrap.reconciler.plan import Plan, plan
from lakehouse.spec.model import Lakehouse

#: Rounds with fresh facts, where others write at the same time or answers are lost.
ROUNDS = 5


def make_plan(
    lakehouse: Lakehouse, connections: Connections, *, allow_destroy: bool = False, where: Where = nowhere
) -> Plan:
    """What would be done now. Raises the errors of :mod:`bootstrap.errors`."""
    with _uncollected():
        return _make_plan(lakehouse, connections, allow_destroy, where)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cyclic garbage collector: all that a plan makes lives on, and looking through it doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _make_plan(lakehouse: Lakehouse, connections: Connections, allow_destroy: bool, where: Where) -> Plan:
    # Whether a table that the file does not name may go stands in the table itself, so all of them are read for that.
    facts = gather(lakehouse, connections, everything=allow_destroy)
    found = diff(lakehouse, facts, allow_destroy=allow_destroy, where=where)
    return plan(found, allow_destroy=allow_destroy)


def reconcile(
    lakehouse: Lakehouse,
    connections: Connections,
    *,
    allow_destroy: bool = False,
    purge: bool = False,
    saved: Plan | None = None,
    where: Where = nowhere,
    progress: Progress | None = None,
) -> Outcome:
    """Apply the file, or ``saved`` alone, to the running lakehouse.

    A round that met a conflict, or whose answers were lost, is followed by one with fresh facts: what turns out to be
    as wanted is done, whoever did it. Raises StalePlan where ``saved`` is no longer what would be done.
    """
    allow_destroy = allow_destroy if saved is None else saved.allow_destroy
    current = make_plan(lakehouse, connections, allow_destroy=allow_destroy, where=where)
    if saved is not None and saved.digest != current.digest:
        raise StalePlan("the saved plan is stale: the lakehouse or the file changed since. Make a new plan")
    mine = frozenset(step.address for step in current.steps)
    done: dict[str, Done] = {}
    outcome = apply(current, connections, progress, purge=purge)
    for _ in range(ROUNDS - 1):
        done |= {each.address: each for each in outcome.done}
        if not outcome.again:
            break
        current = make_plan(lakehouse, connections, allow_destroy=allow_destroy, where=where).only(mine)
        left = {step.address for step in current.steps}
        done |= {each.address: Done(each.address) for each in outcome.failed if each.address not in left}
        outcome = apply(current, connections, progress, purge=purge)
    done |= {each.address: each for each in outcome.done}
    return replace(outcome, done=tuple(done.values()))
