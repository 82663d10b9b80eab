"""Every call that is tried as a principal, at each server that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bootstrap import output
from bootstrap.operations import catalog_proof, nessie_proof, trino_proof
from bootstrap.operations.access_keys import PrincipalServers
from bootstrap.session.alone import alone
from bootstrap.stores import proof
from lakehouse.access.engines import EngineCall
from lakehouse.access.proof import Call, calls

C = TypeVar("C", Call, EngineCall)


@dataclass(frozen=True)
class TriedCall:
    """A call of a principal, with which client, whether the file allows it (``wanted``), and whether the server did."""

    principal: str
    call: str
    on: str
    at: str
    by: str
    wanted: bool
    allowed: bool


def tried(servers: PrincipalServers, principal: str | None) -> Iterator[TriedCall]:
    """Make every call, of that principal or of all, with its own keys.

    Raises LakehouseError if a server answers neither yes nor no, has another password than the state folder, or
    another test is running: it would remove the objects of this one.
    """
    lakehouse = servers.target.lakehouse
    asked = {each for each in lakehouse.access.principals if principal in (None, each) and not servers.untried(each)}

    def of_asked(every: Iterable[C]) -> list[C]:
        return [call for call in every if call.principal in asked]

    with (
        alone(servers.target.local.state.run / "access-test.lock", "`lakehouse access test`"),
        output.progress() as bar,
    ):

        def shown(
            at: str, made: Sequence[C], outcomes: Callable[[Sequence[C]], Iterator[TriedCall]]
        ) -> Iterator[TriedCall]:
            task = bar.add_task(at, total=len(made))
            for each in outcomes(made):
                bar.update(task, advance=1)
                yield each

        if servers.users is not None:
            # A bucket of tables takes no other objects, not even from its owner; nobody has a grant for its files.
            tables = {each.name for each in servers.target.local.endpoints.catalogs if each.kind.in_store}
            of_store = [call for call in of_asked(calls(lakehouse)) if call.place.catalog not in tables]
            yield from shown("store", of_store, lambda made: _at_store(servers, made))
        if servers.users is not None or servers.principals is not None:
            in_catalogs = of_asked(catalog_proof.calls(lakehouse, servers.target.stack))
            yield from shown("catalogs", in_catalogs, lambda made: _in_catalogs(servers, made))
        if (nessie := servers.nessie) is not None:
            of_nessie = of_asked(nessie_proof.calls(lakehouse, nessie.catalogs))
            yield from shown("nessie", of_nessie, lambda made: _in_nessie(servers, made))
        if servers.trino is not None:
            yield from shown("trino", of_asked(trino_proof.calls(lakehouse)), lambda made: _in_trino(servers, made))


def _at_store(servers: PrincipalServers, made: Sequence[Call]) -> Iterator[TriedCall]:
    store, users = servers.target.local.endpoints.store.service, servers.users
    assert users is not None
    for each in proof.outcomes(made, servers.connections, lambda name: users.keys.pair(servers.name(name))):
        call = each.call
        yield TriedCall(call.principal, call.operation, call.place.name, store, "boto3", call.allowed, each.allowed)


def _in_catalogs(servers: PrincipalServers, made: Sequence[EngineCall]) -> Iterator[TriedCall]:
    kinds = {each.name: each.kind.word for each in servers.target.local.endpoints.catalogs}
    for each in catalog_proof.outcomes(made, servers):
        call, at = each.call, kinds[each.call.catalog]
        yield TriedCall(call.principal, call.operation, call.place, at, "PyIceberg", each.wanted, each.allowed)


def _in_nessie(servers: PrincipalServers, made: Sequence[EngineCall]) -> Iterator[TriedCall]:
    assert servers.nessie is not None
    for each in nessie_proof.outcomes(made, servers.connections, servers.nessie):
        call = each.call
        yield TriedCall(call.principal, call.operation, call.place, "nessie", "HTTP", each.wanted, each.allowed)


def _in_trino(servers: PrincipalServers, made: Sequence[EngineCall]) -> Iterator[TriedCall]:
    assert servers.trino is not None
    for each in trino_proof.outcomes(made, servers.target, servers.trino.password):
        call = each.call
        yield TriedCall(call.principal, call.operation, call.place, "trino", "Trino", call.allowed, each.allowed)
