"""Principals of Polaris: one for each principal whose roles grant anything in a catalog of the server.

As with users of the store, access is removed at once, and the principal itself only with both keys to deletion. One
that somebody else made (`existing`) gets what roles of others do not give it, and is never removed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bootstrap.catalogs.polaris_principals import PolarisPrincipal
from bootstrap.catalogs.polaris_roles import Granted, OthersRole
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.entries import Entries
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.objects.namespace import existence
from bootstrap.reconciler.objects.user import name_of
from bootstrap.reconciler.strangers import describe
from bootstrap.reconciler.work import ApplyWork
from lakehouse.access.polaris import PolarisGrant, polaris_grants
from lakehouse.access.polaris_verbs import lacking
from lakehouse.spec import Lakehouse
from lakehouse.text.written import written

PRINCIPAL = "principal"


@dataclass(frozen=True)
class PrincipalFacts:
    """The principals of a server, and its names of the file's catalogs that it has.

    ``strangers`` are principals that the file does not name and that have roles in these catalogs, if that was asked.
    """

    there: Mapping[str, PolarisPrincipal]
    warehouses: Mapping[str, str]
    strangers: Mapping[str, tuple[OthersRole, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class PrincipalSettings(Body):
    """A principal's grants, as JSON, by the server's name of the catalog; ``catalogs`` has the file's names by these.

    Those of a principal without access stay as they are, so none are sent. Credentials are made when it is carried
    out; no plan holds them. ``existing`` is its own name if somebody else made it.
    """

    granted: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    catalogs: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    deletable: bool = False
    existing: str = ""
    owner: str = ""  # the lakehouse
    renew: bool = False  # its new credentials are sent again: nobody saw the answer to the first time


@dataclass(frozen=True)
class PrincipalGone(Body):
    """A principal to remove, if it is still the one that was made then; and the catalogs that have its grants."""

    catalogs: tuple[str, ...] = ()
    made: int = 0


class Principals(ObjectKind):
    words = (PRINCIPAL,)
    bodies = {"create": PrincipalSettings, "update": PrincipalSettings, "destroy": PrincipalGone}

    def read(self, look: Inquiry) -> Put:
        """Read the principals, only if a catalog's server has them and the file names some, or named some."""
        if look.world.principals is None:
            return super().read(look)
        server, lakehouse = look.world.principals(), look.lakehouse
        access, everything = lakehouse.access, look.everything
        if not access.principals and not everything and not server.any_made(lakehouse.name):
            return super().read(look)
        there = server.facts(lakehouse.name, existing(lakehouse), others=access.grants == "authoritative")
        known = {each.existing or name for name, each in there.items()}
        found = PrincipalFacts(there, server.warehouses, server.strangers(known) if everything else {})

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, PRINCIPAL: found})

        return put

    def compare(self, found: Differences) -> None:
        facts: PrincipalFacts | None = found.facts.own.get(PRINCIPAL)
        if facts is None:
            return
        for principal, spec in found.lakehouse.access.principals.items():
            name = name_of(found.lakehouse, principal)
            granted: Granted = {
                facts.warehouses[catalog]: grants
                for catalog, grants in polaris_grants(found.lakehouse, principal).items()
                if catalog in facts.warehouses and spec.is_known_to("polaris")
            }
            have = facts.there.get(name)
            if have is not None and (other := have.another(found.lakehouse.name)):
                found.refuse(address(PRINCIPAL, "", name), f"that name {other}", ("access", "principals", principal))
            elif have is not None:
                why = "its roles grant nothing in these catalogs"
                if have.existing and found.lakehouse.access.grants == "additive":
                    granted, why = _further(granted, have), f"roles of others give {have.existing} all that it has here"
                # What a principal without access is granted stays, for the day on which it is enabled again.
                kept = {} if have.existing else have.granted
                want = replace(have, granted=granted or kept, enabled=bool(granted), deletable=spec.deletable)
                _update(found, facts, name, have, want, why)
            elif theirs := spec.named("polaris"):
                message = f"Polaris has no principal {theirs}, and an existing one is not made"
                fix = "Correct its name, or remove `existing` for one that the toolkit makes"
                at = ("access", "principals", principal, "existing", "polaris")
                found.refuse(address(PRINCIPAL, "", name), f"{message}. {fix}", at)
            elif granted:
                want = PolarisPrincipal(granted, deletable=spec.deletable)
                details = tuple(_differences(PolarisPrincipal(), want))
                found.changes.append(Change("create", PRINCIPAL, "", name, details, _settings(found, facts, want)))

    def compare_unnamed(self, found: Differences) -> None:
        facts: PrincipalFacts | None = found.facts.own.get(PRINCIPAL)
        if facts is None:
            return
        named = {name_of(found.lakehouse, principal) for principal in found.lakehouse.access.principals}
        for name in sorted(facts.there.keys() - named):
            have = facts.there[name]
            change = Change("destroy", PRINCIPAL, "", name, (), PrincipalGone(tuple(facts.warehouses), have.made))
            if have.another(found.lakehouse.name):
                continue
            if not have.ours:  # of another lakehouse, or of a lost state folder: not ours to remove
                found.unnamed.append(change.address)
            elif not found.destroy(change, marked=have.deletable):
                _update(found, facts, name, have, replace(have, enabled=False), "the file does not name it")
        for name in sorted(facts.strangers):
            found.stay(address(PRINCIPAL, "", name), marked=False)

    def describe(self, found: Entries) -> None:
        """Principals that others made, with roles of what their grants are in verbs."""
        facts: PrincipalFacts | None = found.facts.own.get(PRINCIPAL)
        if facts is not None:
            describe(found, facts.strangers, facts.warehouses)

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """What is granted must exist. A change that only takes access away waits for nothing."""
        if not isinstance(change.body, PrincipalSettings) or not any(each.symbol == "+" for each in change.details):
            return
        for warehouse, grants in change.body.granted.items():
            if catalog := change.body.catalogs.get(warehouse):
                yield address("catalog", "", catalog)
                for place in dict.fromkeys((each.type, each.on) for each in map(PolarisGrant.read, grants)):
                    yield from existence(place[0], catalog, place[1])

    def without(self, change: Change, lacking: Container[str]) -> Change | None:
        """All but the grants on what is not there. So access that goes, goes at once."""
        body = change.body
        if not isinstance(body, PrincipalSettings):
            return None
        left, gone = dict(body.granted), set()
        for warehouse, grants in body.granted.items():
            if catalog := body.catalogs.get(warehouse):
                read = [(sent, PolarisGrant.read(sent)) for sent in grants]
                bad = {each for _, each in read if any(n in lacking for n in existence(each.type, catalog, each.on))}
                gone |= {_where(warehouse, each) for each in bad}
                left[warehouse] = [sent for sent, each in read if each not in bad]
        details = tuple(
            each for each in change.details if each.symbol != "+" or each.text.rpartition(": ")[0] not in gone
        )
        return replace(change, details=details, body=replace(body, granted=left)) if details else None

    def sent_to(self, change: Change) -> str:
        body = change.body
        assert isinstance(body, PrincipalSettings | PrincipalGone)
        return next(iter(body.catalogs.values() if isinstance(body, PrincipalSettings) else body.catalogs))

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case PrincipalGone(made=made):
                work.principals.remove(change.name, made)
            case PrincipalSettings() as body:
                granted = {warehouse: frozenset(map(PolarisGrant.read, of)) for warehouse, of in body.granted.items()}
                if change.op == "create":
                    work.principals.create(change.name, granted, deletable=body.deletable, owner=body.owner)
                else:
                    who = {"existing": body.existing, "owner": body.owner}
                    work.principals.change(change.name, granted, enabled=body.enabled, deletable=body.deletable, **who)
                    if body.renew:
                        work.principals.renew(change.name, body.existing)
        return ""


def existing(lakehouse: Lakehouse) -> dict[str, str]:
    """The principals in Polaris that somebody else made: their names there by the names of the toolkit's roles."""
    return {
        name_of(lakehouse, principal): name
        for principal, spec in lakehouse.access.principals.items()
        if (name := spec.named("polaris"))
    }


def _further(granted: Granted, have: PolarisPrincipal) -> Granted:
    """What the toolkit's roles have to give besides those of others. What they give already stays."""
    found = {}
    for catalog, grants in granted.items():
        theirs = frozenset().union(*(role.within([catalog]).get(catalog, frozenset()) for role in have.others))
        found[catalog] = lacking(grants, theirs) | (grants & have.granted.get(catalog, frozenset()))
    return {catalog: grants for catalog, grants in found.items() if grants}


def _settings(found: Differences, facts: PrincipalFacts, want: PolarisPrincipal) -> PrincipalSettings:
    sent = want.granted if want.enabled else {}
    granted = {catalog: [grant.sent() for grant in sorted(grants)] for catalog, grants in sent.items()}
    catalogs = {warehouse: catalog for catalog, warehouse in facts.warehouses.items()}
    how = (want.enabled, want.deletable, want.existing, found.lakehouse.name, want.renewing)
    return PrincipalSettings(granted, catalogs, *how)


def _update(
    found: Differences, facts: PrincipalFacts, name: str, have: PolarisPrincipal, want: PolarisPrincipal, why: str
) -> None:
    details = list(_differences(have, want))
    if have.enabled and not want.enabled:
        details.append(Detail("-", f"access: {why}"))
    elif want.enabled and not have.enabled:
        details.append(Detail("+", "access"))
    if have.renewing:
        details.append(Detail("~", "credentials: a rotation was cut short, and is made again"))
    if details:
        found.changes.append(Change("update", PRINCIPAL, "", name, tuple(details), _settings(found, facts, want)))


def _differences(have: PolarisPrincipal, want: PolarisPrincipal) -> Iterator[Detail]:
    yield from lines(have.granted, want.granted)
    if have.deletable != want.deletable:
        yield Detail("~", f"deletable: {written(have.deletable)} -> {written(want.deletable)}")


def lines(have: Granted, want: Granted) -> Iterator[Detail]:
    """The differences between grants, by what they are on."""
    before, after = _reach(have), _reach(want)
    for where in sorted({*after, *before}):
        for symbol, privileges in (
            ("+", after.get(where, set()) - before.get(where, set())),
            ("-", before.get(where, set()) - after.get(where, set())),
        ):
            if privileges:
                yield Detail(symbol, f"{where}: {', '.join(sorted(privileges))}")


def _reach(granted: Granted) -> dict[str, set[str]]:
    """Privileges by what they are granted on."""
    found: dict[str, set[str]] = {}
    for catalog, grants in granted.items():
        for grant in grants:
            found.setdefault(_where(catalog, grant), set()).add(grant.privilege)
    return found


def _where(catalog: str, grant: PolarisGrant) -> str:
    return ".".join(filter(None, (catalog, grant.on)))
