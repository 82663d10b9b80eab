"""Carry out a plan: several steps at a time, each after those it needs. A failure stops only what depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from queue import SimpleQueue
from typing import Any

from bootstrap.reconciler.blocked import makes
from bootstrap.reconciler.changes import Change, Note
from bootstrap.reconciler.kind import Registry
from bootstrap.reconciler.objects import OBJECTS
from bootstrap.reconciler.plan import Plan, Step
from bootstrap.reconciler.work import ApplyWork
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import RETRIED, Unreachable, first_line
from lakehouse.errors import LakehouseError

#: Most changes in one request: more would save requests, fewer let more connections work at the same time.
_LEAST, _MOST = 8, 32


@dataclass(frozen=True)
class Done:
    """A step that was carried out; ``remark`` says which part the store could not do."""

    address: str
    remark: str = ""


@dataclass(frozen=True)
class Failed:
    """A step that failed; ``again``: a new attempt with fresh facts may succeed."""

    address: str
    message: str
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result of a plan. ``skipped`` are steps whose needs failed; ``refused`` is what the plan did not try.

    ``stays`` are notes on what the file does not name and what is there all the same, because a key is missing.
    """

    done: tuple[Done, ...] = ()
    failed: tuple[Failed, ...] = ()
    skipped: tuple[str, ...] = ()
    refused: tuple[Note, ...] = ()
    stays: tuple[Note, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: all planned changes are done; 1: something is not done."""
        return 1 if self.failed or self.skipped or self.refused else 0

    @property
    def again(self) -> bool:
        """Whether a new round with fresh facts may do more."""
        return any(failure.again for failure in self.failed)

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON, for programs."""
        return {"exit_code": self.exit_code, **asdict(self)}


#: Called once for each step, with its result.
Progress = Callable[[Done | Failed], None]


def apply(
    plan: Plan,
    world: World,
    progress: Progress | None = None,
    *,
    purge: bool = False,
    kinds: Registry = OBJECTS,
) -> Outcome:
    """Carry out ``plan``. What it refuses is left alone and is reported. ``purge``: delete dropped tables' files.

    Of a step that is skipped, the part that does without what failed is carried out, such as access that goes.
    """
    executor = _Executor(world, kinds, purge)
    waiting = {step.address: step for step in plan.steps}
    children: dict[str, list[str]] = {}
    missing = {}
    for step in plan.steps:
        needs = [need for need in step.needs if need in waiting]
        missing[step.address] = len(needs)
        for need in needs:
            children.setdefault(need, []).append(step.address)
    done: list[Done] = []
    failed: list[Failed] = []
    ended: SimpleQueue[Future[list[Done | Failed]]] = SimpleQueue()
    running = 0
    with ThreadPoolExecutor(world.connections.parallel) as pool:
        ready = [address for address, count in missing.items() if not count]
        while ready or running:
            for steps in executor.batches([waiting.pop(address) for address in ready]):
                pool.submit(executor.carry_out, steps).add_done_callback(ended.put)
                running += 1
            ready = []
            for fate in ended.get().result():
                if progress is not None:
                    progress(fate)
                if isinstance(fate, Failed):
                    failed.append(fate)
                    continue
                done.append(fate)
                for child in children.get(fate.address, ()):
                    missing[child] -= 1
                    if not missing[child]:
                        ready.append(child)
            running -= 1
    lacking = {fate.address for fate in failed} | waiting.keys()
    lacking &= {step.address for step in plan.steps if makes(step.change, kinds.of(step.change))}
    for step in tuple(waiting.values()):
        part = kinds.of(step.change).without(step.change, lacking)
        if part is None:
            continue
        fate = executor.alone(replace(step, change=part))
        if isinstance(fate, Done) and part != step.change:
            continue  # the rest is skipped
        del waiting[step.address]
        if isinstance(fate, Done):
            done.append(fate)
        else:
            failed.append(fate)
        if progress is not None:
            progress(fate)
    stays = tuple(note for note in plan.kept if note.address in plan.unnamed)
    return Outcome(tuple(done), tuple(failed), tuple(waiting), plan.refused, stays)


class _Executor:
    """Sends the requests: one or two for each change."""

    def __init__(self, world: World, kinds: Registry, purge: bool) -> None:
        self.kinds, self.work, self.parallel = kinds, ApplyWork(world, purge), world.connections.parallel
        self.dead: dict[str, str] = {}  # servers that do not answer, and why: their other steps are not tried

    def batches(self, steps: list[Step]) -> Iterator[list[Step]]:
        """Group changes of one catalog if it takes several in one request; all others are single."""
        joined: dict[tuple[str, str], list[Step]] = {}
        for step in steps:
            if self._takes_many(step.change):
                joined.setdefault((step.change.kind, step.change.catalog), []).append(step)
            else:
                yield [step]
        for together in joined.values():
            size = min(_MOST, max(_LEAST, -(-len(together) // self.parallel)))
            yield from (together[start : start + size] for start in range(0, len(together), size))

    def _takes_many(self, change: Change) -> bool:
        try:
            return self.kinds.of(change).together(change, self.work)
        except Exception:  # noqa: BLE001 - the step itself says why
            return False

    def carry_out(self, steps: list[Step]) -> list[Done | Failed]:
        """Carry out the steps. Returns their results, in any order."""
        kind = self.kinds.of(steps[0].change)
        server = kind.sent_to(steps[0].change)
        if len(steps) == 1 or server in self.dead:
            return [self.alone(step) for step in steps]
        changes = [step.change for step in steps]
        try:
            errors = kind.carry_out_together(changes, self.work)
        except Unreachable as error:
            self.dead[server] = str(error)
            return [_failed(step, error) for step in steps]
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the other steps go on and are counted
            return [_failed(step, error) for step in steps]
        return [_failed(step, errors[step.address]) if step.address in errors else Done(step.address) for step in steps]

    def alone(self, step: Step) -> Done | Failed:
        """Carry out one step."""
        kind = self.kinds.of(step.change)
        server = kind.sent_to(step.change)
        if server in self.dead:
            return Failed(step.address, self.dead[server])
        try:
            remark = kind.carry_out(step.change, self.work)
        except Unreachable as error:
            self.dead[server] = str(error)
            return Failed(step.address, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the other steps go on and are counted
            return _failed(step, error)
        return Done(step.address, remark)


def _failed(step: Step, error: Exception) -> Failed:
    message = str(error) if isinstance(error, LakehouseError) else f"{type(error).__name__}: {first_line(error)}"
    return Failed(step.address, message, again=isinstance(error, RETRIED))
