"""Users of the store: one for each principal whose roles grant files. A user reaches these files and no others.

Access and the user are two things. Access is removed at once: a user is disabled if its principal has no more grants
or left the file, and an entry in the file enables it again. The user itself, with its access keys, is removed only if
``--allow-destroy`` and ``deletable`` are both given. The latter is recorded in the id of the user's policy, because a
store's users have no properties.

A user that somebody else made (`existing`) gets the toolkit's policy only if its own policies do not give what the file
says; nothing else of it is ever changed, and it is never removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.kind import Inquiry, ObjectKind, Put
from bootstrap.reconciler.marks import DELETABLE
from bootstrap.reconciler.store_strangers import describe
from bootstrap.reconciler.work import ApplyWork
from bootstrap.stores.users import Policy, StoreUser
from lakehouse.access import policy, s3
from lakehouse.access.s3_verbs import gives, many, touches
from lakehouse.spec import Lakehouse
from lakehouse.text.written import written

USER = "user"
STRANGERS = "users of others"
_ARN = "arn:aws:s3:::"


@dataclass(frozen=True)
class UserSettings(Body):
    """A user's new policy, as IAM's JSON. The access keys are made when it is carried out; no plan holds them.

    ``existing`` is its own name if somebody else made it.
    """

    policy: Policy
    enabled: bool = True
    existing: str = ""


@dataclass(frozen=True)
class UserGone(Body):
    """A user to remove, if its policy is still this one."""

    policy: Policy


class Users(ObjectKind):
    words = (USER,)
    bodies = {"create": UserSettings, "update": UserSettings, "destroy": UserGone}

    def read(self, look: Inquiry) -> Put:
        """Read the users, only if the store supports them and the file has principals, or had some."""
        if look.world.users is None:
            return super().read(look)
        users, lakehouse = look.world.users(), look.lakehouse
        if not lakehouse.access.principals and not look.everything and not users.any_made(lakehouse.name):
            return super().read(look)
        found = users.facts(lakehouse.name, existing(lakehouse))
        strangers: dict[str, StoreUser] = {}
        if look.everything:
            every = users.strangers({each.existing or name for name, each in found.items()})
            strangers = {name: each for name, each in every.items() if touches(lakehouse, each.given.values())}

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, USER: found, STRANGERS: strangers})

        return put

    def compare(self, found: Differences) -> None:
        there: Mapping[str, StoreUser] | None = found.facts.own.get(USER)
        if there is None:
            return
        for principal, spec in found.lakehouse.access.principals.items():
            name = name_of(found.lakehouse, principal)
            # One that others made in Polaris is known there only.
            allowed = policy_of(found.lakehouse, principal) if spec.is_known_to("store") else None
            have, theirs = there.get(name), spec.named("store")
            if (have.existing if have else "") != theirs:
                at = ("access", "principals", principal, *(("existing", "store") if theirs else ()))
                found.refuse(address(USER, "", name), _another(have, theirs), at)
            elif have is not None and have.existing:
                self._compare_existing(found, name, have, allowed)
            elif have is not None:
                want = _marked(allowed or have.policy, spec.deletable)
                _update(found, name, have, UserSettings(want, bool(allowed)), "its roles grant no files")
            elif allowed:
                body = UserSettings(_marked(allowed, spec.deletable))
                found.changes.append(Change("create", USER, "", name, tuple(_lines({}, body.policy)), body))

    def _compare_existing(self, found: Differences, name: str, have: StoreUser, allowed: Policy | None) -> None:
        """The toolkit's policy says all that the file says, or it is not there because policies of others give that."""
        why = "its roles grant no files"
        spared = found.lakehouse.access.grants == "additive" and not have.enabled
        if allowed and spared and gives(have.given.values(), allowed):
            allowed, why = None, "policies of others give all that it has here"
        _update(found, name, have, UserSettings(allowed or have.policy, bool(allowed), have.existing), why)

    def compare_unnamed(self, found: Differences) -> None:
        there: Mapping[str, StoreUser] = found.facts.own.get(USER, {})
        named = {name_of(found.lakehouse, principal) for principal in found.lakehouse.access.principals}
        for name in sorted(there.keys() - named):
            have, change = there[name], Change("destroy", USER, "", name, (), UserGone(there[name].policy))
            if have.existing:
                _update(found, name, have, UserSettings(have.policy, False, have.existing), "the file does not name it")
            elif not have.ours:  # of another lakehouse, or of a lost state folder: not ours to remove
                found.unnamed.append(change.address)
            elif not found.destroy(change, marked=_is_marked(have.policy)):
                _update(found, name, have, UserSettings(have.policy, enabled=False), "the file does not name it")
        for name in sorted(found.facts.own.get(STRANGERS, {})):
            found.stay(address(USER, "", name), marked=False)

    def describe(self, found: Entries) -> None:
        """Users that others made. The file's own grants are entries too: one on an object that is gone is left out."""
        roles = found.data.get("access", {}).get("roles", {}) if found.everything else {}
        for role, said in roles.items():
            if said.get("grants"):
                grants, said["grants"] = said["grants"], {}
                for on, verbs in grants.items():
                    found.add("access", "roles", role, "grants", on, entry=verbs)
        describe(found, found.facts.own.get(STRANGERS, {}))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case UserGone(content):
                work.users.remove(change.name, content)
            case UserSettings(content, enabled, user) if change.op == "update":
                work.users.change(change.name, content, enabled=enabled, existing=user)
            case UserSettings(content):
                work.users.create(change.name, content)
        return ""


def name_of(lakehouse: Lakehouse, principal: str) -> str:
    """The name of a principal's user, and of its policy."""
    return f"{lakehouse.name}-{principal}"


def existing(lakehouse: Lakehouse) -> dict[str, str]:
    """The store's users that somebody else made: their own names by the names of the toolkit's policies."""
    return {
        name_of(lakehouse, principal): name
        for principal, spec in lakehouse.access.principals.items()
        if (name := spec.named("store"))
    }


def policy_of(lakehouse: Lakehouse, principal: str) -> dict[str, Any] | None:
    """The policy for the principal's access to files; None if it has no access."""
    statements = s3.on_files(lakehouse, principal, _arn)
    return policy.document(statements) if statements else None


def _another(have: StoreUser | None, theirs: str) -> str:
    """Why the user that is there is not the one that the file means."""
    if have is None:
        text = f"the store has no user {theirs}, and an existing one is not made"
        return f"{text}. Write its name as `lakehouse import` does, or remove `existing` for one that the toolkit makes"
    if have.existing:
        text = f"user {have.existing} of the store still has the toolkit's policy of this principal"
        return f"{text}. Give the entry another name, or apply the file once without it"
    return f"the toolkit made a user of this name, and it is not {theirs}. Give the entry another name"


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
    """The differences between what two policies allow, regardless of how they are written."""
    before, after = _reach(have), _reach(want)
    for where in sorted({*after, *before}):
        for symbol, actions in (
            ("+", after.get(where, set()) - before.get(where, set())),
            ("-", before.get(where, set()) - after.get(where, set())),
        ):
            if actions:
                yield Detail(symbol, f"{where}: {', '.join(sorted(actions))}")
    if have and _is_marked(have) != _is_marked(want):
        yield Detail("~", f"deletable: {written(_is_marked(have))} -> {written(_is_marked(want))}")
    elif not have and _is_marked(want):
        yield Detail("+", "deletable = true")


def _reach(content: Policy) -> dict[str, set[str]]:
    """Actions by the resources that they are allowed on, with the condition."""
    found: dict[str, set[str]] = {}
    for statement in many(content.get("Statement")):
        rest = {key: statement[key] for key in statement.keys() - {"Sid", "Effect", "Action", "Resource"}}
        match rest:
            case {"Condition": {"StringLike": {"s3:prefix": prefixes}}}:
                condition = f" ({', '.join(sorted(many(prefixes)))})"
            case _:
                condition = f" ({json.dumps(rest, sort_keys=True)})" if rest else ""
        effect = "" if statement.get("Effect") == "Allow" else f"{statement.get('Effect')} "
        for resource in many(statement.get("Resource")):
            where = f"{effect}{resource.removeprefix(_ARN)}{condition}"
            found.setdefault(where, set()).update(each.removeprefix("s3:") for each in many(statement.get("Action")))
    return found
