"""Principals of Polaris that others made, as entries of lakehouse.yaml: their roles, with grants in verbs. Pure.

What no verb says is reported, and stays as it is on the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bootstrap.catalogs.polaris_roles import OthersRole
from bootstrap.reconciler.adopting import Adopting
from bootstrap.reconciler.entries import Entries
from lakehouse.access.polaris import PolarisGrant
from lakehouse.access.polaris_verbs import expressed
from lakehouse.spec import Verb


def describe(found: Entries, strangers: Mapping[str, tuple[OthersRole, ...]], warehouses: Mapping[str, str]) -> None:
    """Add an entry for each principal, and one for each principal role of theirs that gives anything in a verb.

    ``warehouses`` are the server's names of the file's catalogs.
    """
    adopting = Adopting(found)
    names: dict[str, str] = {}  # of roles in the file, by the principal role
    for principal, roles in sorted(strangers.items()):
        said = []
        for role in roles:
            if not role.within(warehouses.values()):
                continue
            if role.role not in names:
                names[role.role] = _role(found, role, warehouses, adopting)
            said += [names[role.role]] if names[role.role] else []
        if said:
            adopting.principal(principal, said, "polaris", principal)
        else:
            found.leave(f"principal {principal}", why="no verb says what its roles give, so it has no entry")


def _role(found: Entries, role: OthersRole, warehouses: Mapping[str, str], adopting: Adopting) -> str:
    """Add a role. Returns its name in the file; empty if it has no grants that a verb says."""
    grants: dict[str, list[Verb]] = {}
    for catalog, warehouse in warehouses.items():
        have = expressed(role.within([warehouse]).get(warehouse, ()))
        for target, verb in have.verbs.items():
            grants[".".join(filter(None, (catalog, target)))] = [verb]
        for where, privileges in _by_place(catalog, have.rest):
            why = f"no verb says {', '.join(privileges)} on {where}: what it has so stays as it is"
            found.leave(f"principal role {role.role}", why=why)
    return adopting.role(role.role, grants) if grants else ""


def _by_place(catalog: str, grants: Iterable[PolarisGrant]) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for grant in grants:
        found.setdefault(".".join(filter(None, (catalog, grant.on))), []).append(grant.privilege)
    yield from found.items()
