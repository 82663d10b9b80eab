"""Roles of Polaris that others gave to principals of the file. With `grants: authoritative` they are drift.

To take one away takes both keys: that word in the file, and ``--allow-destroy``. The role itself stays, and whoever
else has it keeps it. One that also gives something in catalogs of other stacks is only reported, and so is one that
gives a principal catalog_admin, of whichever catalog. service_admin is never looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bootstrap.catalogs.polaris_roles import CATALOG_ADMIN, OthersRole
from bootstrap.iceberg.evolve import Detail
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, ObjectKind
from bootstrap.reconciler.objects.principal import PRINCIPAL, PrincipalFacts, lines
from bootstrap.reconciler.objects.user import name_of
from bootstrap.reconciler.work import ApplyWork
from lakehouse.text.words import listed

GRANT = "grant"


@dataclass(frozen=True)
class GrantGone(Body):
    """A role to take away from a principal: a principal role, or if ``warehouse`` is set, a catalog role there.

    ``name`` is that of the toolkit's roles for the principal, ``existing`` its own if somebody else made it.
    """

    name: str
    existing: str
    role: str
    warehouse: str
    catalog: str  # of the file: one whose server has the principal


class OthersGrants(ObjectKind):
    words = (GRANT,)
    bodies = {"destroy": GrantGone}

    def compare(self, found: Differences) -> None:
        """Nothing in the file names them."""

    def compare_unnamed(self, found: Differences) -> None:
        facts: PrincipalFacts | None = found.facts.own.get(PRINCIPAL)
        if facts is None or found.lakehouse.access.grants != "authoritative":
            return
        own = tuple(facts.warehouses.values())
        for principal in found.lakehouse.access.principals:
            name = name_of(found.lakehouse, principal)
            if (have := facts.there.get(name)) is None:
                continue
            for role in have.others:
                for warehouse in role.administers if any(each in role.granted for each in own) else ():
                    message = f"{role.role} gives it {CATALOG_ADMIN} of {warehouse}, which the toolkit never takes away"
                    found.keep(address(PRINCIPAL, "", name), message, ("access", "principals", principal))
                if role.within(own) and (more := _elsewhere(role, own)):
                    message = (
                        f"{role.role} gives it something here, and also in {listed(more)}, which this stack has not"
                    )
                    fix = "so it stays. To take it away, give the principal another role there, and this one no longer"
                    found.keep(address(PRINCIPAL, "", name), f"{message}, {fix}", ("access", "principals", principal))
                    continue
                for change in _changes(facts, name, have.existing, role):
                    found.destroy(change, marked=False, opened=True, ours=True)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """The principal first has from the toolkit's roles all that the file says."""
        assert isinstance(change.body, GrantGone)
        yield address(PRINCIPAL, "", change.body.name)

    def reads(self, change: Change, changes: Changes) -> Iterable[str]:
        return self.needs(change, changes)

    def sent_to(self, change: Change) -> str:
        assert isinstance(change.body, GrantGone)
        return change.body.catalog

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        assert isinstance(change.body, GrantGone)
        body = change.body
        work.principals.take(body.name, body.existing, body.role, body.warehouse)
        return ""


def _elsewhere(role: OthersRole, own: Collection[str]) -> list[str]:
    """Catalogs besides the stack's in which a principal role gives something: whoever takes it away, takes that too."""
    return [] if role.own else sorted(role.within(role.granted.keys() - set(own)))


def _changes(facts: PrincipalFacts, name: str, existing: str, role: OthersRole) -> Iterator[Change]:
    """What would take the role away: as a whole, or of the principal's own role each catalog role that is not ours."""
    own, catalog = tuple(facts.warehouses.values()), next(iter(facts.warehouses))

    def gone(what: str, of: str, warehouse: str, details: Iterable[Detail]) -> Change:
        body = GrantGone(name, existing, of, warehouse, catalog)
        return Change("destroy", GRANT, "", f"{name}: {what}", tuple(details), body)

    if role.own:
        for warehouse in (each for each in own if each in role.granted):
            for each, grants in role.granted[warehouse].items():
                if each != CATALOG_ADMIN:
                    yield gone(f"catalog role {each} of {warehouse}", each, warehouse, lines({warehouse: grants}, {}))
    elif role.within(own) and not role.administers:
        yield gone(f"principal role {role.role}", role.role, "", lines(role.within(role.granted), {}))
