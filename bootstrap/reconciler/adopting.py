"""Names in the file for roles and principals that others made: each free, and one role for the same grants. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count

from bootstrap.reconciler.entries import Entries
from lakehouse.spec import Verb
from lakehouse.spec.roles import Role

_ROLES, _PRINCIPALS = ("access", "roles"), ("access", "principals")


class Adopting:
    """Adds entries, beside those of the file and those that another server's principals have already."""

    def __init__(self, found: Entries) -> None:
        self._found = found
        self._roles = {name: role.grants for name, role in found.lakehouse.access.roles.items()}
        self._principals = set(found.lakehouse.access.principals)
        for at, entry in found.added.items():
            match at:
                case ("access", "roles", role, "grants", target) if role not in found.lakehouse.access.roles:
                    self._roles[role] = {**self._roles.get(role, {}), target: entry}
                case ("access", "principals", principal):
                    self._principals.add(principal)

    def role(self, theirs: str, grants: Mapping[str, list[Verb]]) -> str:
        """The role of these grants: one of that name, or a new one. Returns its name in the file."""
        name = next(each for each in _names(theirs) if self._roles.get(each, grants) == grants)
        if name not in self._roles:
            self._found.add(*_ROLES, name, entry={})
            for target, verbs in grants.items():
                self._found.add(*_ROLES, name, "grants", target, entry=verbs)
            self._roles[name] = Role.model_validate({"grants": grants}).grants
        return name

    def principal(self, theirs: str, roles: list[str], server: str, named: str) -> None:
        """A principal with these roles, which the server knows under that name."""
        name = next(each for each in _names(theirs) if each not in self._principals)
        self._principals.add(name)
        self._found.add(*_PRINCIPALS, name, entry={"roles": list(dict.fromkeys(roles)), "existing": {server: named}})


def _names(name: str) -> Iterator[str]:
    """Names that the file may have for a role or principal of that name."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    plain = (plain if plain[:1] not in "0123456789" else f"_{plain}")[:120]
    return (f"{plain}_{number}" if number else plain for number in count())
