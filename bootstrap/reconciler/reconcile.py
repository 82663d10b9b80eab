"""Make the lakehouse match the file: facts, diff, plan and apply, repeated until nothing is left to do."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from bootstrap.catalogs.base import Reading
from bootstrap.reconciler.apply import Done, Failed, Outcome, Progress, apply
from bootstrap.reconciler.changes import Change
from bootstrap.reconciler.diff import diff
from bootstrap.reconciler.differences import Where, nowhere
from bootstrap.reconciler.facts import gather
from bootstrap.reconciler.kind import ObjectKind, Registry
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.plan import Plan, plan
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import StalePlan
from lakehouse.errors import LakehouseError
from lakehouse.spec.model import Lakehouse


def make_plan(
    lakehouse: Lakehouse,
    world: World,
    *,
    allow_destroy: bool = False,
    where: Where = nowhere,
    reading: Reading | None = None,
    kinds: Registry = OBJECTS,
) -> Plan:
    """What would be done now; ``reading`` gets progress. Raises the errors of :mod:`bootstrap.remote.errors`."""
    with _uncollected():
        # A table's own properties say whether it may be dropped once the file does not name it, so all are read.
        facts = gather(lakehouse, world, everything=allow_destroy, reading=reading, kinds=kinds)
        found = diff(lakehouse, facts, allow_destroy=allow_destroy, where=where, kinds=kinds)
        return plan(found, allow_destroy=allow_destroy, kinds=kinds)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Turn off the cyclic garbage collector: a plan's objects all stay in use, and scanning them doubles the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def reconcile(
    lakehouse: Lakehouse,
    world: World,
    *,
    allow_destroy: bool = False,
    purge: bool = False,
    saved: Plan | None = None,
    where: Where = nowhere,
    progress: Progress | None = None,
    confirm: Callable[[Plan], None] | None = None,
    kinds: Registry = OBJECTS,
) -> Outcome:
    """Apply the file, or only the plan ``saved``, to the running lakehouse.

    After a round with a conflict or a lost answer comes another round with fresh facts. What is then as wanted is done,
    whoever did it. Objects to destroy, and all steps of ``saved``, fail and are left alone if they have changed since
    the plan. ``confirm`` gets the plan before anything is changed, and raises an error if it must not be carried out.
    Raises StalePlan if ``saved`` is no longer what would be done.
    """
    allow_destroy = allow_destroy if saved is None else saved.allow_destroy
    for kind in kinds:
        kind.prepare(lakehouse, world)
    agreed = make_plan(lakehouse, world, allow_destroy=allow_destroy, where=where, kinds=kinds)
    if saved is not None and saved.digest != agreed.digest:
        raise StalePlan("the saved plan is stale: the lakehouse or the file has changed since. Make a new plan")
    if confirm is not None:
        confirm(agreed)
    done: dict[str, Done] = {}
    changed: dict[str, Failed] = {}  # since the plan: neither they nor the steps that need them are tried again
    outcome = apply(agreed, world, progress, purge=purge, kinds=kinds)
    for attempt in range(world.rounds - 1):
        done |= {each.address: each for each in outcome.done}
        if not outcome.again:
            break
        world.pause(attempt)
        try:
            fresh = make_plan(lakehouse, world, allow_destroy=allow_destroy, where=where, kinds=kinds)
        except LakehouseError:
            break  # the failures of this round are reported, with all that was done
        messages = {each.address: each.message for each in outcome.failed}
        current, others = fresh.within(agreed, exactly=saved is not None)
        changed |= {each: _changed(each, messages.get(each, "")) for each in others if each not in done}
        gone = {*messages, *outcome.skipped} - {step.address for step in fresh.steps} - changed.keys()
        for step in agreed.steps:
            if step.address in gone:
                fate = _fate(step.change, fresh, kinds.of(step.change), messages.get(step.address, ""))
                if isinstance(fate, Done):
                    done[step.address] = fate
                elif fate is not None:
                    changed[step.address] = fate
        current, skipped = _without(current, changed.keys())
        outcome = apply(current, world, progress, purge=purge, kinds=kinds)
        outcome = replace(outcome, skipped=(*outcome.skipped, *skipped))
    done |= {each.address: each for each in outcome.done}
    failed = {each.address: each for each in (*outcome.failed, *changed.values())}
    remarks = {note.address: note.message for note in agreed.lost}
    succeeded = tuple(
        replace(each, remark=each.remark or remarks.get(each.address, ""))
        for each in done.values()
        if each.address not in failed
    )
    return replace(outcome, done=succeeded, failed=tuple(failed.values()))


def _changed(address: str, message: str) -> Failed:
    why = f" ({message})" if message else ""
    return Failed(address, f"it has changed since the plan, and is left as it is{why}. Make a new plan")


def _fate(change: Change, fresh: Plan, kind: ObjectKind, message: str) -> Done | Failed | None:
    """The result of a step that a plan with fresh facts no longer has; None: that plan refuses it, and says why."""
    if any(note.object in (change.address, kind.part_of(change)) for note in fresh.refused):
        return None
    if any(step.address == kind.part_of(change) and step.change.op == "create" for step in fresh.steps):
        return _changed(change.address, message)  # what it is a part of no longer exists
    kept = next((note.message for note in fresh.kept if note.address == change.address), "")
    if change.op == "destroy" and change.address in fresh.unnamed:
        return _changed(change.address, kept or message)
    if kind.kept_fails and kept:
        return Failed(change.address, kept)
    return Done(change.address, kept)


def _without(plan: Plan, addresses: Collection[str]) -> tuple[Plan, tuple[str, ...]]:
    """The plan without these steps and those that need one of them, and the addresses of the latter."""
    left, skipped = [], dict.fromkeys(addresses)
    for step in plan.steps:
        if any(need in skipped for need in step.needs):
            skipped[step.address] = None
        elif step.address not in skipped:
            left.append(step)
    return replace(plan, steps=tuple(left)), tuple(each for each in skipped if each not in addresses)
