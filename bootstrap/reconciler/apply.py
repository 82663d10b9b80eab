"""Carry out a plan: several steps at a time, each after those it needs; one failure stops only what depends on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from queue import SimpleQueue
from typing import Any

from bootstrap.catalogs.base import Catalog, CommitsMany
from bootstrap.catalogs.references import CatalogReferences, references_of
from bootstrap.reconciler.changes import Change, Note
from bootstrap.reconciler.plan import Plan, Step
from bootstrap.reconciler.recheck import Recheck
from bootstrap.reconciler.world import World
from bootstrap.remote.errors import RETRIED, Conflict, Refused, Unreachable, first_line
from bootstrap.stores.buckets import BucketStore
from lakehouse.errors import LakehouseError

#: Tables in one commit, where there are enough: more save requests, fewer let several connections work at a time.
_LEAST, _MOST = 8, 32


@dataclass(frozen=True)
class Done:
    """A step that was carried out; ``remark`` says what of it the store could not do."""

    address: str
    remark: str = ""


@dataclass(frozen=True)
class Failed:
    """A step that was not; ``again``: fresh facts may settle it."""

    address: str
    message: str
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a plan. ``skipped`` are steps whose needs failed; ``refused`` is what the plan did not try."""

    done: tuple[Done, ...] = ()
    failed: tuple[Failed, ...] = ()
    skipped: tuple[str, ...] = ()
    refused: tuple[Note, ...] = ()

    @property
    def exit_code(self) -> int:
        """0: all that was planned is done; 1: something is not."""
        return 1 if self.failed or self.skipped or self.refused else 0

    @property
    def again(self) -> bool:
        """Whether a new round with fresh facts may get further."""
        return any(failure.again for failure in self.failed)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"exit_code": self.exit_code, **asdict(self)}


#: Called once a step, with its fate.
Progress = Callable[[Done | Failed], None]


def apply(plan: Plan, world: World, progress: Progress | None = None, *, purge: bool = False) -> Outcome:
    """Carry out ``plan``; what it refuses is not touched, and counts. ``purge``: dropped tables lose their files."""
    executor = _Executor(world, purge)
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
    return Outcome(tuple(done), tuple(failed), tuple(waiting), plan.refused)


class _Executor:
    """The thin edge: one change, one or two requests."""

    def __init__(self, world: World, purge: bool) -> None:
        self.world, self.purge = world, purge
        self.catalogs: dict[str, Catalog] = {}
        self.rechecks: dict[str, Recheck] = {}
        self.dead: dict[str, str] = {}  # what nobody answers for, and why: its further steps are not tried

    @cached_property
    def store(self) -> BucketStore:
        return self.world.store()

    def catalog(self, name: str) -> Catalog:
        if name not in self.catalogs:
            self.catalogs[name] = self.world.catalog(name)
        return self.catalogs[name]

    def recheck(self, change: Change) -> None:
        """Raise Conflict where a folder that the change gives to a table has become another table's."""
        name = change.catalog
        recheck = self.rechecks.setdefault(name, Recheck(name, self.catalog(name)))
        recheck.before(change.name, change.body)

    def batches(self, steps: list[Step]) -> Iterator[list[Step]]:
        """Commits of one catalog's tables several together, where the catalog takes them so; all else one by one."""
        commits: dict[str, list[Step]] = {}
        for step in steps:
            change = step.change
            if change.kind == "table" and change.op != "destroy" and self._takes_many(change.catalog):
                commits.setdefault(change.catalog, []).append(step)
            else:
                yield [step]
        for together in commits.values():
            size = min(_MOST, max(_LEAST, -(-len(together) // self.world.connections.parallel)))
            yield from (together[start : start + size] for start in range(0, len(together), size))

    def _takes_many(self, name: str) -> bool:
        try:
            return isinstance(self.catalog(name), CommitsMany)
        except Exception:  # noqa: BLE001 - the step itself says why
            return False

    def carry_out(self, steps: list[Step]) -> list[Done | Failed]:
        """The fates of the steps, in any order."""
        name = steps[0].change.catalog
        if len(steps) == 1 or name in self.dead:
            return [self._alone(step) for step in steps]
        catalog = self.catalog(name)
        assert isinstance(catalog, CommitsMany)
        try:
            return self._commit(catalog, steps)
        except Unreachable as error:
            self.dead[name] = str(error)
            return [_failed(step, error) for step in steps]
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the other steps go on and are counted
            return [_failed(step, error) for step in steps]

    def _commit(self, catalog: CommitsMany, steps: list[Step]) -> list[Done | Failed]:
        errors: dict[str, Exception] = {}
        for step in steps:
            try:
                self.recheck(step.change)
            except Conflict as error:
                errors[step.change.name] = error
        free = [step.change for step in steps if step.change.name not in errors]
        if free:
            errors |= catalog.commit_tables({change.name: _commit_of(change) for change in free})
        fates: list[Done | Failed] = []
        for step in steps:
            why = errors.get(step.change.name)
            fates.append(Done(step.address) if why is None else _failed(step, why))
        return fates

    def _alone(self, step: Step) -> Done | Failed:
        change = step.change
        if change.catalog in self.dead:
            return Failed(step.address, self.dead[change.catalog])
        try:
            remark = self._carry_out(change)
        except Unreachable as error:
            self.dead[change.catalog] = str(error)
            return Failed(step.address, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the other steps go on and are counted
            return _failed(step, error)
        return Done(step.address, remark)

    def _carry_out(self, change: Change) -> str:
        body: Mapping[str, Any] = change.body
        if self.purge and change.op == "destroy" and "shared" in body:
            rule = f"{body['shared']}, so --purge would delete files of a live table"
            raise Refused(f"{rule}. Move that table first, or apply without --purge")
        if change.kind == "bucket" and change.op == "destroy":
            self.store.delete(change.name, purge=self.purge)
            return ""
        if change.kind == "bucket":
            act = self.store.create if change.op == "create" else self.store.update
            left = act(change.name, body)
            return f"the store cannot do {', '.join(left)}" if left else ""
        catalog = self.catalog(change.catalog)
        if change.kind in ("branch", "tag"):
            _refer(references_of(catalog), change)
            return ""
        match change.kind, change.op:
            case "namespace", "create":
                catalog.create_namespace(change.name, body["properties"])
            case "namespace", "update":
                catalog.update_namespace(change.name, body["updates"], body["removals"])
            case "namespace", "destroy":
                catalog.drop_namespace(change.name)
            case "table", "create" | "update":
                self.recheck(change)
                catalog.commit_table(change.name, _commit_of(change))
            case "seed", _:
                self.world.load_seed(catalog, change.name, body, self.world.connections)
            case _:
                return catalog.drop_table(change.name, body["uuid"], purge=self.purge)
        return ""


def _failed(step: Step, error: Exception) -> Failed:
    message = str(error) if isinstance(error, LakehouseError) else f"{type(error).__name__}: {first_line(error)}"
    return Failed(step.address, message, again=isinstance(error, RETRIED))


def _commit_of(change: Change) -> Mapping[str, Any]:
    if change.op == "update":
        return change.body
    # The id is made here: a plan carried out twice must not make two tables that pass for one.
    identity = {"action": "assign-uuid", "uuid": str(uuid.uuid4())}
    return {**change.body, "updates": [identity, *change.body["updates"]]}


def _refer(references: CatalogReferences, change: Change) -> None:
    """A change to a branch or tag. The mark comes after what it marks, and goes after it."""
    kind: Any = change.kind
    if change.op == "destroy":
        references.delete(change.name, kind, change.body["hash"])
        return
    if change.op == "create":
        references.create(change.name, kind, change.body["from"])
    if change.op == "update" or change.body["deletable"]:
        references.mark(change.name, change.body["deletable"])
