"""Users of a Trino that asks for passwords: one for each principal whose roles grant anything.

As with users of the store, access is removed at once, and the user itself, with its password, only with both keys to
deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bootstrap.engines.trino_files import TrinoUser
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.objects.trino_rules import NAME, RULES
from bootstrap.reconciler.work import ApplyWork
from lakehouse.access.grants import known_to
from lakehouse.text.written import written

USER = "trino-user"


@dataclass(frozen=True)
class TrinoUserSettings(Body):
    """What a user shall be. Its password is made when it is carried out; no plan holds it."""

    enabled: bool = True
    deletable: bool = False


class TrinoUsers(ObjectKind):
    words = (USER,)
    bodies = {"create": TrinoUserSettings, "update": TrinoUserSettings}

    def read(self, look: Inquiry) -> Put:
        if look.world.trino is None:
            return super().read(look)
        found = look.world.trino().users()

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, USER: found})

        return put

    def compare(self, found: Differences) -> None:
        there: Mapping[str, TrinoUser] | None = found.facts.own.get(USER)
        if there is None:
            return
        allowed = {grant.principal for grant in known_to(found.lakehouse, "trino")}
        for name, spec in found.lakehouse.access.principals.items():
            have, want = there.get(name), TrinoUserSettings(name in allowed, spec.deletable)
            if have is not None and (have.ours or not want.enabled):
                _update(found, name, have, want, "its roles grant nothing")
            elif want.enabled:
                lines = (Detail("+", "deletable = true"),) if want.deletable else ()
                found.changes.append(Change("create", USER, "", name, lines, want))

    def compare_unnamed(self, found: Differences) -> None:
        there: Mapping[str, TrinoUser] = found.facts.own.get(USER, {})
        for name in sorted(there.keys() - found.lakehouse.access.principals.keys()):
            have, change = there[name], Change("destroy", USER, "", name)
            if not have.ours:
                _update(found, name, have, TrinoUserSettings(enabled=False), "this lakehouse did not make it")
            elif not found.destroy(change, marked=have.deletable):
                gone = TrinoUserSettings(enabled=False, deletable=have.deletable)
                _update(found, name, have, gone, "the file does not name it")

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """Rules come first, so that nobody logs in again to what the file no longer grants."""
        yield address(RULES, "", NAME)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case TrinoUserSettings() as body if change.op == "create":
                work.trino.check_deployed({})
                work.trino.create(change.name, deletable=body.deletable)
            case TrinoUserSettings() as body:
                if body.enabled:
                    work.trino.check_deployed({})
                work.trino.change(change.name, enabled=body.enabled, deletable=body.deletable)
            case _:
                work.trino.remove(change.name)
        return ""


def _update(found: Differences, name: str, have: TrinoUser, want: TrinoUserSettings, why: str) -> None:
    if lines := tuple(_lines(have, want, why)):
        found.changes.append(Change("update", USER, "", name, lines, want))


def _lines(have: TrinoUser, want: TrinoUserSettings, why: str) -> Iterator[Detail]:
    if have.enabled and not want.enabled:
        yield Detail("-", f"access: {why}")
    elif want.enabled and not have.enabled:
        yield Detail("+", "access")
    elif want.enabled and not have.right:
        yield Detail("~", "password: Trino's file has another one than the state folder")
    if have.deletable != want.deletable:
        yield Detail("~", f"deletable: {written(have.deletable)} -> {written(want.deletable)}")
