"""Users of the store: one for each principal whose roles grant files. It reaches these files and no others.

Access and the user are two things. Access is taken away at once: a user whose principal has no grants any more, or left
the file, is disabled, and an entry in the file enables it again. The user itself, with its keys, is removed only with
both keys to deletion. The second one is kept in the id of its policy: users of a store have no properties.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Inquiry, ObjectKind, Put
from bootstrap.reconciler.wanted import DELETABLE
from bootstrap.reconciler.work import ApplyWork
from bootstrap.stores.users import Policy, StoreUser
from lakehouse.access import policy, s3
from lakehouse.spec import Lakehouse

USER = "user"
_ARN = "arn:aws:s3:::"


@dataclass(frozen=True)
class UserSettings(Body):
    """What a user may do from now on, as IAM's JSON has it. Keys are made when it is carried out, and stay there."""

    policy: Policy
    enabled: bool = True


@dataclass(frozen=True)
class UserGone(Body):
    """A user that goes, if it may still do this and nothing else."""

    policy: Policy


class Users(ObjectKind):
    words = (USER,)
    bodies = {"create": UserSettings, "update": UserSettings, "destroy": UserGone}

    def read(self, look: Inquiry) -> Put:
        """Only from a store that has users, and only if the file has principals, or had some."""
        if look.world.users is None:
            return super().read(look)
        users, name = look.world.users(), look.lakehouse.name
        if not look.lakehouse.access.principals and not users.any_made(name):
            return super().read(look)
        found = users.facts(name)

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, USER: found})

        return put

    def compare(self, found: Differences) -> None:
        there: Mapping[str, StoreUser] | None = found.facts.own.get(USER)
        if there is None:
            return
        for principal, spec in found.lakehouse.access.principals.items():
            name = name_of(found.lakehouse, principal)
            allowed, have = policy_of(found.lakehouse, principal), there.get(name)
            if have is not None:
                want = _marked(allowed or have.policy, spec.deletable)
                _update(found, name, have, UserSettings(want, bool(allowed)), "its roles grant no files")
            elif allowed:
                body = UserSettings(_marked(allowed, spec.deletable))
                found.changes.append(Change("create", USER, "", name, tuple(_lines({}, body.policy)), body))

    def compare_unnamed(self, found: Differences) -> None:
        there: Mapping[str, StoreUser] = found.facts.own.get(USER, {})
        named = {name_of(found.lakehouse, principal) for principal in found.lakehouse.access.principals}
        for name in sorted(there.keys() - named):
            have, change = there[name], Change("destroy", USER, "", name, (), UserGone(there[name].policy))
            if not have.ours:  # another lakehouse's, or of a state folder that is lost: nobody's to take away
                found.unnamed.append(change.address)
            elif not found.destroy(change, marked=_is_marked(have.policy)):
                _update(found, name, have, UserSettings(have.policy, enabled=False), "the file does not name it")

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case UserGone(content):
                work.users.remove(change.name, content)
            case UserSettings(content, enabled) if change.op == "update":
                work.users.change(change.name, content, enabled=enabled)
            case UserSettings(content):
                work.users.create(change.name, content)
        return ""


def name_of(lakehouse: Lakehouse, principal: str) -> str:
    """What a principal's user and its policy are called."""
    return f"{lakehouse.name}-{principal}"


def policy_of(lakehouse: Lakehouse, principal: str) -> dict[str, Any] | None:
    """What the principal may do with files; None if that is nothing."""
    statements = s3.on_files(lakehouse, principal, _arn)
    return policy.document(statements) if statements else None


def _arn(bucket: str, key: str | None = None) -> str:
    return f"{_ARN}{bucket}/{key}" if key else f"{_ARN}{bucket}"


def _marked(content: Policy, deletable: bool) -> dict[str, Any]:
    rest = {key: value for key, value in content.items() if key != "ID"}
    return {"ID": DELETABLE, **rest} if deletable else rest


def _is_marked(content: Policy) -> bool:
    return content.get("ID") == DELETABLE


def _update(found: Differences, name: str, have: StoreUser, want: UserSettings, why: str) -> None:
    lines = list(_lines(have.policy, want.policy))
    if have.enabled and not want.enabled:
        lines.append(Detail("-", f"access: {why}"))
    elif want.enabled and not have.enabled:
        lines.append(Detail("+", "access"))
    if lines:
        found.changes.append(Change("update", USER, "", name, tuple(lines), want))


def _lines(have: Policy, want: Policy) -> Iterable[Detail]:
    """What one policy allows and the other does not, however they are written."""
    before, after = _reach(have), _reach(want)
    for where in sorted({*after, *before}):
        for symbol, actions in (
            ("+", after.get(where, set()) - before.get(where, set())),
            ("-", before.get(where, set()) - after.get(where, set())),
        ):
            if actions:
                yield Detail(symbol, f"{where}: {', '.join(sorted(actions))}")
    if have and _is_marked(have) != _is_marked(want):
        yield Detail("~", f"deletable: {_is_marked(have)} -> {_is_marked(want)}")
    elif not have and _is_marked(want):
        yield Detail("+", "deletable = true")


def _reach(content: Policy) -> dict[str, set[str]]:
    """Actions by what they are allowed on, with the condition."""
    found: dict[str, set[str]] = {}
    for statement in _many(content.get("Statement")):
        rest = {key: statement[key] for key in statement.keys() - {"Sid", "Effect", "Action", "Resource"}}
        match rest:
            case {"Condition": {"StringLike": {"s3:prefix": prefixes}}}:
                condition = f" ({', '.join(sorted(_many(prefixes)))})"
            case _:
                condition = f" ({json.dumps(rest, sort_keys=True)})" if rest else ""
        effect = "" if statement.get("Effect") == "Allow" else f"{statement.get('Effect')} "
        for resource in _many(statement.get("Resource")):
            where = f"{effect}{resource.removeprefix(_ARN)}{condition}"
            found.setdefault(where, set()).update(each.removeprefix("s3:") for each in _many(statement.get("Action")))
    return found


def _many(value: Any) -> list[Any]:
    """One thing, or a list of them, as IAM's JSON has either."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
