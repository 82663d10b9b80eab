"""Principals of Polaris: one for each principal whose roles grant anything in a catalog of the server.

As with users of the store, access is removed at once, and the principal itself only with both keys to deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bootstrap.catalogs.polaris_principals import Granted, PolarisPrincipal
from bootstrap.iceberg.evolve import Detail
from bootstrap.iceberg.metadata import Facts
from bootstrap.reconciler.changes import Body, Change, address
from bootstrap.reconciler.differences import Differences
from bootstrap.reconciler.kind import Changes, Inquiry, ObjectKind, Put
from bootstrap.reconciler.objects.user import name_of
from bootstrap.reconciler.work import ApplyWork
from lakehouse.access.polaris import PolarisGrant, polaris_grants
from lakehouse.text.written import written

PRINCIPAL = "principal"


@dataclass(frozen=True)
class PrincipalFacts:
    """The principals of a server, and its names of the file's catalogs that it has."""

    there: Mapping[str, PolarisPrincipal]
    warehouses: Mapping[str, str]


@dataclass(frozen=True)
class PrincipalSettings(Body):
    """A principal's grants, as JSON, by the server's name of the catalog, and the file's catalogs that they are in.

    Those of a principal without access stay as they are, so none are sent. Credentials are made when it is carried
    out; no plan holds them.
    """

    granted: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    catalogs: tuple[str, ...] = ()
    enabled: bool = True
    deletable: bool = False


@dataclass(frozen=True)
class PrincipalGone(Body):
    """A principal to remove."""

    catalogs: tuple[str, ...] = ()


class Principals(ObjectKind):
    words = (PRINCIPAL,)
    bodies = {"create": PrincipalSettings, "update": PrincipalSettings, "destroy": PrincipalGone}

    def read(self, look: Inquiry) -> Put:
        """Read the principals, only if a catalog's server has them and the file names some, or named some."""
        if look.world.principals is None:
            return super().read(look)
        server, name = look.world.principals(), look.lakehouse.name
        if not look.lakehouse.access.principals and not server.any_made(name):
            return super().read(look)
        found = PrincipalFacts(server.facts(name), server.warehouses)

        def put(facts: Facts) -> Facts:
            return replace(facts, own={**facts.own, PRINCIPAL: found})

        return put

    def compare(self, found: Differences) -> None:
        facts: PrincipalFacts | None = found.facts.own.get(PRINCIPAL)
        if facts is None:
            return
        for principal, spec in found.lakehouse.access.principals.items():
            name = name_of(found.lakehouse, principal)
            granted = {
                facts.warehouses[catalog]: grants
                for catalog, grants in polaris_grants(found.lakehouse, principal).items()
                if catalog in facts.warehouses
            }
            have = facts.there.get(name)
            if have is not None:
                # What a principal without access is granted stays, for the day on which it is enabled again.
                want = replace(have, granted=granted or have.granted, enabled=bool(granted), deletable=spec.deletable)
                _update(found, facts, name, have, want, "its roles grant nothing in these catalogs")
            elif granted:
                want = PolarisPrincipal(granted, deletable=spec.deletable)
                details = tuple(_lines(PolarisPrincipal(), want))
                found.changes.append(Change("create", PRINCIPAL, "", name, details, _settings(facts, want)))

    def compare_unnamed(self, found: Differences) -> None:
        facts: PrincipalFacts | None = found.facts.own.get(PRINCIPAL)
        if facts is None:
            return
        named = {name_of(found.lakehouse, principal) for principal in found.lakehouse.access.principals}
        for name in sorted(facts.there.keys() - named):
            have = facts.there[name]
            change = Change("destroy", PRINCIPAL, "", name, (), PrincipalGone(tuple(facts.warehouses)))
            if not have.ours:  # of another lakehouse, or of a lost state folder: not ours to remove
                found.unnamed.append(change.address)
            elif not found.destroy(change, marked=have.deletable):
                _update(found, facts, name, have, replace(have, enabled=False), "the file does not name it")

    def needs(self, change: Change, changes: Changes) -> Iterable[str]:
        """What is granted must exist. A change that only takes access away waits for nothing."""
        if not isinstance(change.body, PrincipalSettings) or not any(each.symbol == "+" for each in change.details):
            return
        for catalog in change.body.catalogs:
            yield address("catalog", "", catalog)
            for grants in change.body.granted.values():
                for grant in map(PolarisGrant.read, grants):
                    yield address(grant.type, catalog, grant.on)

    def sent_to(self, change: Change) -> str:
        assert isinstance(change.body, PrincipalSettings | PrincipalGone)
        return change.body.catalogs[0]

    def carry_out(self, change: Change, work: ApplyWork) -> str:
        match change.body:
            case PrincipalGone():
                work.principals.remove(change.name)
            case PrincipalSettings() as body:
                granted = {warehouse: frozenset(map(PolarisGrant.read, of)) for warehouse, of in body.granted.items()}
                if change.op == "create":
                    work.principals.create(change.name, granted, deletable=body.deletable)
                else:
                    work.principals.change(change.name, granted, enabled=body.enabled, deletable=body.deletable)
        return ""


def _settings(facts: PrincipalFacts, want: PolarisPrincipal) -> PrincipalSettings:
    sent = want.granted if want.enabled else {}
    granted = {catalog: [grant.sent() for grant in sorted(grants)] for catalog, grants in sent.items()}
    return PrincipalSettings(granted, tuple(facts.warehouses), want.enabled, want.deletable)


def _update(
    found: Differences, facts: PrincipalFacts, name: str, have: PolarisPrincipal, want: PolarisPrincipal, why: str
) -> None:
    lines = list(_lines(have, want))
    if have.enabled and not want.enabled:
        lines.append(Detail("-", f"access: {why}"))
    elif want.enabled and not have.enabled:
        lines.append(Detail("+", "access"))
    if lines:
        found.changes.append(Change("update", PRINCIPAL, "", name, tuple(lines), _settings(facts, want)))


def _lines(have: PolarisPrincipal, want: PolarisPrincipal) -> Iterator[Detail]:
    before, after = _reach(have.granted), _reach(want.granted)
    for where in sorted({*after, *before}):
        for symbol, privileges in (
            ("+", after.get(where, set()) - before.get(where, set())),
            ("-", before.get(where, set()) - after.get(where, set())),
        ):
            if privileges:
                yield Detail(symbol, f"{where}: {', '.join(sorted(privileges))}")
    if have.deletable != want.deletable:
        yield Detail("~", f"deletable: {written(have.deletable)} -> {written(want.deletable)}")


def _reach(granted: Granted) -> dict[str, set[str]]:
    """Privileges by what they are granted on."""
    found: dict[str, set[str]] = {}
    for catalog, grants in granted.items():
        for grant in grants:
            found.setdefault(".".join(filter(None, (catalog, grant.on))), set()).add(grant.privilege)
    return found
