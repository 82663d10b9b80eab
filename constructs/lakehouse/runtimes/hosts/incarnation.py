"""The incarnations of services on hosts, and those that should run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network

from lakehouse.runtimes.generations import NOTHING, Planned, marked, used
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.seen import Seen
from lakehouse.runtimes.hosts.uploads import stamp
from lakehouse.runtimes.hosts.variables import firewall, packages
from lakehouse.runtimes.incarnation import Because, Incarnation, digest, propose, recorded, silent
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


def of_host(host: str, services: Iterable[Service], place: HostsPlace, clients: Sequence[IPv4Network]) -> str:
    """A digest of what a host has beside services: packages, and the firewall."""
    some = list(services)
    ours = packages(some, place)[host]
    rules = firewall(some, place, clients)
    rules["ports"] = rules["ports"][host]
    connection = place.hosts[host].model_dump(mode="json")
    return digest([[(name, stamp(name)) for name in ours], rules, connection, place.layout.id])
