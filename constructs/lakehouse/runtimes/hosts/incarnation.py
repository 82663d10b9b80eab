"""The incarnations of services on hosts, and those that should run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network
from pathlib import PurePosixPath

from lakehouse.runtimes.generations import NOTHING, Planned, marked, used
from lakehouse.runtimes.hosts import remembered
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.hosts.seen import HostSeen, Seen
from lakehouse.runtimes.hosts.uploads import stamp
from lakehouse.runtimes.hosts.variables import firewall, packages
from lakehouse.runtimes.incarnation import NONE, Because, Incarnation, digest, propose, recorded, silent
from lakehouse.runtimes.state import State
from lakehouse.services.service import Service
from lakehouse.text.later import definition


def wanted(service: Service, place: HostsPlace, planned: Planned) -> str:
    """The digest with which a service should run: on another host, it is another one."""
    return marked(digest([definition(service), place.on(service.name)]), used(service), planned)


def look(
    services: Sequence[Service],
    state: State,
    place: HostsPlace,
    seen: Seen,
    planned: Planned = NOTHING,
    because: Because = silent,
) -> dict[str, Incarnation]:
    """The incarnation that each service should have, from what runs now."""
    return propose(
        services,
        {each.name: wanted(each, place, planned) for each in services},
        {each.name: recorded(state, each.name) for each in services},
        {each.name: each.name in seen.units and seen.units[each.name].well for each in services},
        because,
    )


def hosts(
    services: Sequence[Service], state: State, place: HostsPlace, seen: Seen, clients: Sequence[IPv4Network]
) -> dict[str, Incarnation]:
    """The incarnation that each host should have. One that does not answer keeps its own: nobody knows better."""
    found: dict[str, Incarnation] = {}
    for name in place.hosts:
        known, wants = remembered.recall(state, name), of_host(name, services, place, clients)
        there = seen.hosts.get(name)
        why = _why(known, wants, there)
        if there and not why and (strange := _strange(name, there, services, state, place)):
            why = f"it has {', '.join(strange)}, as before it was down"
        found[name] = Incarnation.new(wants, why) if known is None or why else known.incarnation
    return found


def _why(known: HostMemory | None, wants: str, there: HostSeen | None) -> str:
    """Why a host is set up again, as text; empty if it is not."""
    if known is None:
        return "first set-up"
    if known.incarnation == NONE:
        return "its first set-up did not end"
    if known.incarnation.digest != wants:
        return "its packages, its firewall or the way to it changed in the file"
    if there is None:
        return ""
    gone = ", ".join(PurePosixPath(each).stem for each in there.missing)
    found = [f"{gone} is gone, or in part"] if gone else []
    found += ["its firewall was changed by hand"] if there.firewall != known.firewall else []
    return "; ".join(found)


def _strange(host: str, there: HostSeen, services: Sequence[Service], state: State, place: HostsPlace) -> list[str]:
    """The services that left a host while it was down, and that it has again."""
    own = {each.name for each in services if place.on(each.name) == host} | {*remembered.of_host(state, host)}
    return [each for each in there.units if each not in own]


def of_host(host: str, services: Iterable[Service], place: HostsPlace, clients: Sequence[IPv4Network]) -> str:
    """A digest of what a host has beside services: packages, and the firewall."""
    some = list(services)
    ours = packages(some, place)[host]
    rules = firewall(some, place, clients)
    rules |= {"ports": rules["ports"][host], "choosing": host in rules["choosing"]}
    connection = place.hosts[host].model_dump(mode="json")
    parts = [[(name, stamp(name)) for name in ours], rules, connection, place.layout.id]
    return digest(parts + ([list(place.harden)] if place.harden else []))
