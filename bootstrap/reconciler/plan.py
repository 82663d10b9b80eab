"""A plan: a diff's changes in the order in which they can be carried out. Pure data, for people and programs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bootstrap.iceberg.evolve import Detail
from bootstrap.reconciler.blocked import unblocked
from bootstrap.reconciler.changes import SYMBOLS, Change, Diff, Note
from bootstrap.reconciler.kind import Changes, Registry
from bootstrap.reconciler.objects import OBJECTS
from lakehouse.errors import UsageError

#: The format of a saved plan. Plans of other formats are not read.
FORMAT = 3


@dataclass(frozen=True)
class Step:
    """One change, and the addresses of the changes that must be done before it."""

    change: Change
    needs: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return self.change.address


@dataclass(frozen=True)
class Plan:
    """Steps, each done after those it needs; and for the reader, what is refused and what is left alone."""

    steps: tuple[Step, ...] = ()
    refused: tuple[Note, ...] = ()
    kept: tuple[Note, ...] = ()
    unnamed: tuple[str, ...] = ()
    allow_destroy: bool = False
    lost: tuple[Note, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: nothing to do, 1: something cannot be done, 2: changes."""
        return 1 if self.refused else 2 if self.steps else 0

    @property
    def digest(self) -> str:
        """Equal for equal work. A saved plan is compared by it before it is applied."""
        work = json.dumps([asdict(step.change) for step in self.steps], sort_keys=True)
        return hashlib.sha256(work.encode()).hexdigest()

    def within(self, agreed: Plan, *, exactly: bool) -> tuple[Plan, frozenset[str]]:
        """The part of this later plan that ``agreed`` covers, and the addresses of steps that have changed.

        Only objects that ``agreed`` destroys are destroyed, in the state that they had then, and only columns and
        properties that it removes are removed. ``exactly``: the other steps too must do what it says, or a part of it.
        """
        then = {step.address: step.change for step in agreed.steps}
        mine = [step for step in self.steps if step.address in then]
        kept = tuple(step for step in mine if _covers(then[step.address], step.change, exactly))
        return replace(self, steps=kept), frozenset(step.address for step in mine) - {step.address for step in kept}

    @property
    def destroyed(self) -> tuple[str, ...]:
        """What is gone after it: addresses of objects, and parts of objects that stay, such as columns."""
        objects = (step.address for step in self.steps if step.change.op == "destroy")
        parts = (
            f"{lost} of {step.address}" for step in self.steps for lost in step.change.body.lost(step.change.details)
        )
        return (*objects, *parts)

    def counts(self) -> Mapping[str, int]:
        """How many changes of each kind: ``create``, ``update``, ``destroy``."""
        return {op: sum(step.change.op == op for step in self.steps) for op in SYMBOLS}

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON. :func:`from_json` reads it, and ``--json`` prints it."""
        return {"format": FORMAT, "digest": self.digest, "counts": dict(self.counts()), **asdict(self)}


def plan(diff: Diff, *, allow_destroy: bool = False, kinds: Registry = OBJECTS) -> Plan:
    """Order a diff: changes that others need come first. Destruction comes last, contents before containers.

    One exception: a catalog may lose a location only after the drop of the table there, as its step's needs say.
    ``allow_destroy`` is only recorded: whether the diff was made with it.
    """
    diff = unblocked(diff, kinds)
    changes = Changes(diff.changes, diff.barred)
    known = changes.by_address

    def rank(change: Change) -> tuple[int, int]:
        return kinds.rank(change), kinds.of(change).level(change, changes)

    making = sorted((change for change in diff.changes if change.op != "destroy"), key=rank)
    unmaking = sorted((change for change in diff.changes if change.op == "destroy"), key=rank, reverse=True)
    steps = [
        Step(change, tuple(need for need in kinds.of(change).needs(change, changes) if need in known))
        for change in (*making, *unmaking)
    ]
    return Plan(tuple(steps), diff.refused, diff.kept, diff.unnamed, allow_destroy, diff.lost)


def _covers(agreed: Change, now: Change, exactly: bool) -> bool:
    if "destroy" in (agreed.op, now.op):
        return agreed == now
    more = set(now.details) - set(agreed.details)
    if exactly:
        return agreed.op == now.op and not more
    return not any(detail.symbol == "-" for detail in more)


def render(plan: Plan, *, most: int = 200) -> Iterator[str]:
    """The plan as lines of text, like Terraform's: ``+ ~ -`` for changes, ``!`` for what is refused.

    Notes on lost objects come before the steps that would create them again.
    """
    yield from (f"! {note}" for note in plan.lost)
    for step in plan.steps[:most]:
        yield f"{SYMBOLS[step.change.op]} {step.address}"
        yield from (f"    {detail.symbol} {detail.text}" for detail in step.change.details)
    if len(plan.steps) > most:
        yield f"  ... and {len(plan.steps) - most} more"
    yield from (f"! {note}" for note in plan.kept)
    yield from (f"! refused: {note}" for note in plan.refused)
    if plan.unnamed:
        stay = "1 object that the file does not name stays"
        if len(plan.unnamed) > 1:
            stay = f"{len(plan.unnamed)} objects that the file does not name stay"
        yield f"{stay} (`lakehouse drift` lists them)."
    counts = plan.counts()
    if plan.steps:
        yield f"Plan: {counts['create']} to create, {counts['update']} to change, {counts['destroy']} to destroy."
    else:
        yield "No changes." if not plan.refused else "Nothing can be done until the file is fixed."


def from_json(data: Any, kinds: Registry = OBJECTS) -> Plan:
    """Read a saved plan. Raises UsageError if it is not a plan, or has another format."""
    try:
        if data["format"] != FORMAT:
            raise UsageError(f"the plan has format {data['format']}, this version reads {FORMAT}. Make a new plan")
        steps = tuple(Step(_change(step["change"], kinds), tuple(step["needs"])) for step in data["steps"])
        refused, kept, lost = (tuple(Note(**note) for note in data[key]) for key in ("refused", "kept", "lost"))
        read = Plan(steps, refused, kept, tuple(data["unnamed"]), data["allow_destroy"], lost)
        if read.digest != data["digest"]:
            raise UsageError("the plan was edited: its digest is not that of its steps. Make a new plan")
    except (KeyError, TypeError) as error:
        raise UsageError("this is not a saved plan. `lakehouse plan --out plan.json` writes one") from error
    return read


def _change(data: Mapping[str, Any], kinds: Registry) -> Change:
    details = tuple(Detail(*detail) for detail in data["details"])
    body = kinds.body(data["kind"], data["op"], data["body"])
    return Change(data["op"], data["kind"], data["catalog"], data["name"], details, body)
