"""Every call that is tried as a principal, at each server that can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap import output
from bootstrap.operations import nessie_proof, polaris_proof, trino_proof
from bootstrap.operations.access_keys import PrincipalServers
from bootstrap.stores import proof
from lakehouse.access.proof import calls


@dataclass(frozen=True)
class TriedCall:
    """A call of a principal, whether the file allows it (``wanted``), and whether the server did."""

    principal: str
    call: str
    on: str
    at: str
    wanted: bool
    allowed: bool


def tried(servers: PrincipalServers, principal: str | None) -> Iterator[TriedCall]:
    """Make every call, of that principal or of all, with its own keys.

    Raises LakehouseError if a server answers neither yes nor no, or has another password than the state folder.
    """
    lakehouse = servers.target.lakehouse
    asked = {each for each in lakehouse.access.principals if principal in (None, each) and not servers.untried(each)}
    with output.progress() as bar:
        if (users := servers.users) is not None:
            store = servers.target.local.endpoints.store.service
            # A bucket of tables takes no other objects, not even from its owner; nobody has a grant for its files.
            tables = {each.name for each in servers.target.local.endpoints.catalogs if each.kind.in_store}
            wanted = [call for call in calls(lakehouse) if call.principal in asked and call.place.catalog not in tables]
            task = bar.add_task(store, total=len(wanted))
            for each in proof.outcomes(wanted, servers.connections, lambda name: users.keys.pair(servers.name(name))):
                bar.update(task, advance=1)
                call = each.call
                yield TriedCall(call.principal, call.operation, call.place.name, store, call.allowed, each.allowed)
        if (principals := servers.principals) is not None:
            own = polaris_proof.calls(lakehouse, servers.target.stack)
            own = [call for call in own if call.principal in asked]
            task = bar.add_task("polaris", total=len(own))
            for seen in polaris_proof.outcomes(
                own, servers.target, lambda name: principals.keys.pair(servers.name(name))
            ):
                bar.update(task, advance=1)
                of_it = seen.call
                yield TriedCall(of_it.principal, of_it.operation, of_it.place, "polaris", seen.wanted, seen.allowed)
        if (nessie := servers.nessie) is not None:
            there = [call for call in nessie_proof.calls(lakehouse, nessie.catalogs) if call.principal in asked]
            task = bar.add_task("nessie", total=len(there))
            for at in nessie_proof.outcomes(there, servers.connections, nessie):
                bar.update(task, advance=1)
                yield TriedCall(at.call.principal, at.call.operation, at.call.place, "nessie", at.wanted, at.allowed)
        if servers.trino is not None:
            of_trino = [call for call in trino_proof.calls(lakehouse) if call.principal in asked]
            task = bar.add_task("trino", total=len(of_trino))
            for got in trino_proof.outcomes(of_trino, servers.target, servers.trino.password):
                bar.update(task, advance=1)
                yield TriedCall(
                    got.call.principal, got.call.operation, got.call.place, "trino", got.call.allowed, got.allowed
                )
