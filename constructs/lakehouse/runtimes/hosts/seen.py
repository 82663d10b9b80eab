"""What runs on the hosts of a stack, asked once for each host. A host that does not answer is named, and not fatal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.packages import cached
from lakehouse.runtimes.hosts import fit
from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.runtimes.hosts.uploads import stamp
from lakehouse.runtimes.probe import BUSY_SECONDS
from lakehouse.services.service import Service

ON_HOST = Path(__file__).with_name("on_host.py")


@dataclass(frozen=True)
class UnitSeen:
    """The unit of a service on a host.

    ``edited``: it, or a file of its configuration, was changed by hand. ``missing``: packages that are gone.
    """

    host: str
    active: str
    sub: str
    result: str
    pid: int
    uptime: int
    memory: int
    ready: bool
    edited: bool
    missing: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether it runs as it was installed, and answers."""
        return self.ready and not self.edited and not self.missing


@dataclass(frozen=True)
class HostSeen:
    """What a host has: a digest of the firewall, the packages that are gone, facts, and the services with a unit.

    Of what a host has of memory and room, see :mod:`lakehouse.runtimes.hosts.fit`.
    """

    firewall: str
    missing: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The units by service, the hosts by name, and those that do not answer, with the reason."""

    units: Mapping[str, UnitSeen] = field(default_factory=dict)
    hosts: Mapping[str, HostSeen] = field(default_factory=dict)
    down: Mapping[str, HostError] = field(default_factory=dict)


def look(hosts: Mapping[str, Ssh], place: HostsPlace, services: Sequence[Service]) -> Seen:
    """Ask all hosts at once."""
    with ThreadPoolExecutor(max(1, len(hosts))) as pool:
        answers = list(pool.map(lambda name: _ask(hosts[name], place, services), hosts))
    units: dict[str, UnitSeen] = {}
    others: dict[str, HostSeen] = {}
    down: dict[str, HostError] = {}
    for name, answer in zip(hosts, answers, strict=True):
        if isinstance(answer, HostError):
            down[name] = answer
            continue
        others[name] = HostSeen(answer["firewall"], tuple(answer["missing"]), answer["facts"], tuple(answer["units"]))
        for service, raw in answer["units"].items():
            if service not in units or place.on(service) == name:
                units[service] = _unit(name, raw, at_home=place.on(service) == name)
    return Seen(units, others, down)


def _unit(host: str, raw: dict[str, Any], *, at_home: bool) -> UnitSeen:
    return UnitSeen(
        host=host,
        active=raw["ActiveState"],
        sub=raw["SubState"],
        result=raw["Result"],
        pid=raw["pid"],
        uptime=raw["uptime"],
        memory=raw["memory"],
        ready=raw["ready"],
        edited=raw["edited"] or not at_home,
        missing=tuple(raw["missing"]),
    )


def _ask(ssh: Ssh, place: HostsPlace, services: Sequence[Service]) -> Any:
    question = {
        "do": "look",
        "seconds": BUSY_SECONDS,
        "prefix": place.layout.prefix,
        "configs": place.layout.configs,
        "data": place.layout.data,
        "firewall": place.layout.firewall,
        "table": place.layout.table,
        "services": {each.name: asked(each, place) for each in services if place.on(each.name) == ssh.name},
        "ports": ports(ssh.name, place, services),
    }
    try:
        began = time.time()
        answer = ssh.python(ON_HOST, question)
        return {**answer, "facts": fit.timed(answer["facts"], began)}
    except HostError as error:
        return error


def ports(host: str, place: HostsPlace, services: Iterable[Service]) -> dict[str, list[int]]:
    """The ports of the services of a host."""
    return {each.name: [port.number for port in each.ports] for each in services if place.on(each.name) == host}


def asked(service: Service, place: HostsPlace) -> dict[str, Any]:
    """What a host is asked of a service: its probe, and the files that say that its packages are there."""
    probe = service.probe
    names = [*service.packages, *([] if service.java is None else [f"java-{service.java}"])]
    return {
        "kind": probe.kind,
        "port": probe.port,
        "path": probe.path,
        "expect": probe.expect,
        "trust": f"{place.config(service.name)}/{probe.trust}" if probe.trust else "",
        "packages": [stamp_file(place, name) for name in names],
    }


def stamp_file(place: HostsPlace, name: str) -> str:
    """The file that says that a package is on a host, with today's pins."""
    return f"{place.layout.packages}/{cached.folder(name).name}.{stamp(name)}"
