"""Policies that others gave to users of the store that are principals of the file.

With `grants: authoritative` they are drift. To take one away takes both keys: that word in the file, and
``--allow-destroy``. The policy itself stays, unless it is the user's own (an inline policy). One by which a user that
somebody else made administers the store is only reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.objects.user import USER, name_of
from bootstrap.reconciler.work import ApplyWork
from bootstrap.stores.users import StoreUser
from lakehouse.access.s3_verbs import administers

POLICY = "policy"


@dataclass(frozen=True)
class PolicyGone(Body):
    """A policy to take away from a user; ``existing`` is its own name if somebody else made it."""

    user: str
    policy: str
    existing: str = ""


class OthersPolicies(ObjectKind):
    words = (POLICY,)
    bodies = {"destroy": PolicyGone}

    def compare(self, found: Differences) -> None:
        """Nothing in the file names them."""

    def compare_unnamed(self, found: Differences) -> None:
        there: Mapping[str, StoreUser] = found.facts.own.get(USER, {})
        if found.lakehouse.access.grants != "authoritative":
            return
        for principal in found.lakehouse.access.principals:
            name = name_of(found.lakehouse, principal)
            for policy in there[name].others if name in there else ():
                if administers(there[name].given.get(policy, {})):
                    message = f"policy {policy} lets it administer the store, and the toolkit never takes that away"
                    found.keep(address(USER, "", name), message, ("access", "principals", principal))
                    continue
                body = PolicyGone(name, policy, there[name].existing)
                change = Change("destroy", POLICY, "", f"{name}: {policy}", (), body)
                found.destroy(change, marked=False, opened=True, ours=True)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """The user first has the toolkit's own policy."""
        assert isinstance(change.body, PolicyGone)
        yield address(USER, "", change.body.user)

    def reads(self, change: Change, changes: Changes) -> Iterable[str]:
        return self.needs(change, changes)

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, PolicyGone)
        work.users.take(change.body.user, change.body.policy, change.body.existing)
        return ""
