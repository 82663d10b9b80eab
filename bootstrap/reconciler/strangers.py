"""Principals of Polaris that others made, as entries of lakehouse.yaml: their roles, with grants in verbs. Pure.

What no verb says is reported, and stays as it is on the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from bootstrap.catalogs.polaris_roles import OthersRole
from bootstrap.reconciler.entries import Entries
from lakehouse.access.polaris import PolarisGrant
from lakehouse.access.polaris_verbs import expressed
from lakehouse.spec import Verb
from lakehouse.spec.roles import Role

_ROLES, _PRINCIPALS = ("access", "roles"), ("access", "principals")


def describe(found: Entries, strangers: Mapping[str, tuple[OthersRole, ...]], warehouses: Mapping[str, str]) -> None:
    """Add an entry for each principal, and one for each principal role of theirs that gives anything in a verb.

    ``warehouses`` are the server's names of the file's catalogs.
    """
    taken, principals = dict(found.lakehouse.access.roles), set(found.lakehouse.access.principals)
    names: dict[str, str] = {}  # of roles in the file, by the principal role
    for principal, roles in sorted(strangers.items()):
        said = []
        for role in roles:
            if not role.within(warehouses.values()):
                continue
            if role.role not in names:
                names[role.role] = _role(found, role, warehouses, taken)
            said += [names[role.role]] if names[role.role] else []
        if not said:
            found.leave(f"principal {principal}", why="no verb says what its roles give, so it has no entry")
            continue
        name = next(each for each in _names(principal) if each not in principals)
        principals.add(name)
        found.add(*_PRINCIPALS, name, entry={"roles": said, "existing": {"polaris": principal}})


def _role(found: Entries, role: OthersRole, warehouses: Mapping[str, str], taken: dict[str, Role]) -> str:
    """Add a role. Returns its name in the file; empty if it has no grants that a verb says."""
    grants: dict[str, list[Verb]] = {}
    for catalog, warehouse in warehouses.items():
        have = expressed(role.within([warehouse]).get(warehouse, ()))
        for target, verb in have.verbs.items():
            grants[".".join(filter(None, (catalog, target)))] = [verb]
        for where, privileges in _by_place(catalog, have.rest):
            why = f"no verb says {', '.join(privileges)} on {where}: what it has so stays as it is"
            found.leave(f"principal role {role.role}", why=why)
    if not grants:
        return ""
    name = next(each for each in _names(role.role) if each not in taken or taken[each].grants == grants)
    if name not in taken:
        found.add(*_ROLES, name, entry={})
        for target, verbs in grants.items():
            found.add(*_ROLES, name, "grants", target, entry=verbs)
        taken[name] = Role.model_validate({"grants": grants})
    return name


def _names(name: str) -> Iterator[str]:
    """Names that the file may have for a role or principal of that name."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    plain = (plain if plain[:1] not in "0123456789" else f"_{plain}")[:120]
    return (f"{plain}_{number}" if number else plain for number in count())


def _by_place(catalog: str, grants: Iterable[PolarisGrant]) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for grant in grants:
        found.setdefault(".".join(filter(None, (catalog, grant.on))), []).append(grant.privilege)
    yield from found.items()
