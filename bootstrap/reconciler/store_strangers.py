"""Users of a store that others made, as entries of lakehouse.yaml: their policies as roles, with grants in verbs. Pure.

What no grant says is reported, and stays as it is in the store. Nothing in an entry gives more than the policies do.
"""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.reconciler.adopting import Adopting
from bootstrap.reconciler.entries import Entries
from bootstrap.stores.users import StoreUser
from lakehouse.access.s3_verbs import expressed, understood
from lakehouse.spec import Lakehouse

_STAYS = "what it has so stays as it is"


def describe(found: Entries, strangers: Mapping[str, StoreUser]) -> None:
    """Add an entry for each user, and one for each policy of theirs that gives anything in a verb."""
    if not strangers:
        return
    adopting, lakehouse = Adopting(found), found.whole()
    for name, user in sorted(strangers.items()):
        if why := _never(user):
            found.leave(f"user {name}", why=f"{why}, so it has no entry and stays as it is")
        elif roles := _roles(found, adopting, lakehouse, name, user):
            # One that has no name but a digest is called as what it may do.
            adopting.principal(name if ":" not in name else roles[0], roles, "store", name)
        else:
            found.leave(f"user {name}", why="no verb says what its policies give, so it has no entry")


def _never(user: StoreUser) -> str:
    """Why an entry would say of the user what is not so; empty if it can have one."""
    if not user.enabled:
        return "it is disabled: it has no access that an entry could say"
    if user.apart:
        return f"{' and '.join(user.apart)} may give or deny it more, which nobody reads here"
    if denying := [policy for policy, content in user.given.items() if understood([content]).denies]:
        return f"policy {' and policy '.join(sorted(denying))} has a Deny, which no grant says"
    return ""


def _roles(found: Entries, adopting: Adopting, lakehouse: Lakehouse, name: str, user: StoreUser) -> list[str]:
    """Add a role for each policy. Returns their names in the file."""
    roles = []
    for policy, content in sorted(user.given.items()):
        have = expressed(lakehouse, content)
        for rest in have.rest:
            found.leave(f"user {name}, policy {policy}", why=f"no grant says {rest}: {_STAYS}")
        if have.verbs:
            roles.append(adopting.role(policy, {target: [verb] for target, verb in have.verbs.items()}))
    return roles
