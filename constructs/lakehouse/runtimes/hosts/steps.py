"""The steps that Terraform's provisioners run: preflight, a host up and down, a service up and down."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lakehouse.errors import LakehouseError
from lakehouse.packages.environment import ANSIBLE
from lakehouse.runtimes import disk, former, generations, owner, renewal
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.hosts import fit, playbook, remembered, rolling, uploads
from lakehouse.runtimes.hosts import seen as looks
from lakehouse.runtimes.hosts.place import HostsPlace, Layout
from lakehouse.runtimes.hosts.remembered import HostMemory
from lakehouse.runtimes.hosts.runtime import Hosts
from lakehouse.runtimes.hosts.seen import ON_HOST
from lakehouse.runtimes.hosts.ssh import HostError, Ssh
from lakehouse.runtimes.hosts.variables import inventory, packages, variables
from lakehouse.runtimes.incarnation import NONE, Incarnation, record, recorded
from lakehouse.runtimes.owner import OwnerClaim
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service
from lakehouse.text.placeholders import written

_STOPPING = 300  # seconds for a service to stop on its host, and its files to be removed
_WITHOUT_DATA = ("trino", "spark")  # what these keep can be made again


@dataclass(frozen=True)
class PlacedStack:
    """A stack on hosts, as the steps need it."""

    state: State
    place: HostsPlace
    clients: tuple[IPv4Network, ...]
    planned: Mapping[str, tuple[Service, Incarnation]]
    of_hosts: Mapping[str, Incarnation]

    @property
    def incarnations(self) -> dict[str, Incarnation]:
        return {name: incarnation for name, (_, incarnation) in self.planned.items()}

    @property
    def services(self) -> tuple[Service, ...]:
        return tuple(service for service, _ in self.planned.values())

    @property
    def hosts(self) -> dict[str, Ssh]:
        known = playbook.known_hosts(self.state)
        return {name: Ssh(name, each, self.place.home, known) for name, each in self.place.hosts.items()}

    @property
    def runtime(self) -> Hosts:
        return Hosts(self.state, self.place, self.services, self.hosts)


def preflight(stack: PlacedStack, claim: OwnerClaim, credentials: Planned) -> None:
    """Find everything that is known to make a deploy fail, before anything is stopped or started.

    A host that was set up and does not answer is named, and stops nothing on others: the steps on it will fail. Raises
    LakehouseError with the first problem; new hosts that do not answer are all named.
    """
    state = stack.state
    owner.check(state, claim)
    state.prepare()
    disk.check(state.root)
    owner.mark(state, claim)
    playbook.settle(state)
    _fit(stack)
    leaving = _leaving(stack)
    ANSIBLE.set_up()
    uploads.made(dict.fromkeys(name for names in packages(stack.services, stack.place).values() for name in names))
    generations.make(state, stack.services, credentials)
    for service in stack.services:
        for file in service.files:
            written(file.text, state.secret)  # a secret that cannot be read
    generations.renew(state, stack.services, credentials)  # the first change
    for host, names in leaving.items():
        for name in names:
            _leave(stack, name, stack.hosts[host])
    for host in _former(stack):
        try:
            for name in remembered.of_host(state, host):
                _leave(stack, name, _ssh(state, stack.place.home, host))
            _clear(state, stack.place.home, host)
        except HostError as error:
            raise HostError(
                f"{error}\nThe file no longer has it, so it has to be cleared. {_gone(state, host)}"
            ) from None


def hand_over(stack: PlacedStack) -> None:
    """Give renewed certificates to the services that go on running and take them."""
    late = [each for each in stack.services if each.renewal and renewal.outdated(stack.state, each)]
    there = stack.runtime.processes() if late else {}
    running = [each for each in late if each.name in there and there[each.name].pid]
    for name in renewal.hand_over(stack.state, running, stack.runtime):
        print(f"{name} has a renewed certificate, and goes on")


def _leaving(stack: PlacedStack) -> dict[str, list[str]]:
    """By host, the services that the file no longer names or places elsewhere.

    Raises LakehouseError if one would leave its data behind, as a store would.
    """
    found: dict[str, list[str]] = {}
    former = {name: _ssh(stack.state, stack.place.home, name) for name in _former(stack)}
    for name, ssh in {**stack.hosts, **former}.items():
        there = looks.look({name: ssh}, stack.place, stack.services)
        # Of a host that does not answer, what was there last.
        for service in remembered.of_host(stack.state, name) if there.down else there.units:
            if service in stack.planned and stack.place.on(service) == name:
                continue
            if service in stack.planned and not service.startswith(_WITHOUT_DATA):
                raise LakehouseError(
                    f"{service} is on host {name}, with its data, and the file has it on {stack.place.on(service)}. "
                    f"Data does not move by itself: place it on {name} again, or destroy the stack first."
                )
            if name in stack.hosts and not there.down:
                found.setdefault(name, []).append(service)
    return found


def _leave(stack: PlacedStack, name: str, ssh: Ssh) -> None:
    """Take a service from a host, drained, and its data if that can be made again."""
    stack.runtime.empty(name, ssh)
    _remove(ssh, stack.place.layout, name, stack.place.data(name) if name.startswith(_WITHOUT_DATA) else "")
    remembered.left(stack.state, name)


def _former(stack: PlacedStack) -> list[str]:
    """The hosts that were set up and that the file no longer has."""
    return [name for name in remembered.names(stack.state) if name not in stack.place.hosts]


def _fit(stack: PlacedStack) -> None:
    """Raises LakehouseError if a host lacks what services need, is not this stack's, or does not answer.

    One that does not answer, and was set up before, is only named.
    """
    problems: list[str] = []
    down: list[str] = []
    found: dict[str, Any] = {}
    for name, ssh in stack.hosts.items():
        try:
            found[name] = stack.runtime.facts(ssh)
        except HostError as error:
            (down if remembered.recall(stack.state, name) else problems).append(str(error))
    problems += stack.runtime.misfits(found)
    if problems or len(down) == len(stack.hosts):
        raise LakehouseError("\n".join(problems + down))
    for each in down:
        print(f"{each}\nThe other hosts go on.")
    for name, facts in found.items():
        if said := fit.closed(name, facts, stack.place.hosts.values(), stack.clients):
            print(said)


def host_up(stack: PlacedStack, host: str) -> None:
    """Give a host the user, the packages and the firewall of the stack."""
    _write(stack)
    place, ssh = stack.place, stack.hosts[host]
    names = packages(stack.services, place)[host]
    archives = [
        {
            "name": each.folder,
            "archive": each.archive,
            "url": f"{place.mirror}/{quote(Path(each.archive).name)}" if place.mirror else "",
            "sha256": each.sha256,
            "stamp": looks.stamp_file(place, each.name),
        }
        for each in uploads.made(names).values()
    ]
    layout = place.layout
    asked = {
        "packages": [each["stamp"] for each in archives],
        "configs": layout.configs,
        "firewall": layout.firewall,
        "table": layout.table,
        "data": layout.data,
        "owner": _owner(stack.state),
    }
    if remembered.recall(stack.state, host) is None:  # so that it is cleared, also if this is interrupted
        remembered.keep(stack.state, host, HostMemory(place.hosts[host], layout, NONE, ""))
    ssh.python(ON_HOST, {"do": "repair", **asked})
    write_private(playbook.host_variables(stack.state, host), json.dumps({"lakehouse_packages": archives}, indent=1))
    playbook.run(stack.state, [host], ["host"], {})
    noted = ssh.python(ON_HOST, {"do": "note", **asked}, timeout=300)
    made = HostMemory(place.hosts[host], layout, stack.of_hosts[host], noted["firewall"])
    remembered.keep(stack.state, host, made)


def _owner(state: State) -> str:
    """Whose the stack is, for a file on its hosts: an id, and words for who finds it there."""
    own = owner.read(state.root)
    return f"{own.id} {own}, on {platform.node()}" if own else ""


def host_down(state: State, home: Path, host: str) -> None:
    """Take from a host everything of the stack but its data. It may no longer be in the file.

    Raises HostError if it does not answer, with what to do if it never will.
    """
    try:
        _clear(state, home, host)
    except HostError as error:
        raise HostError(f"{error}\nWhat it has of the stack is still there. {_gone(state, host)}") from None


def _gone(state: State, host: str) -> str:
    return f"If it is gone for good, remove {remembered.path_of(state, host)}."


def _clear(state: State, home: Path, host: str) -> None:
    known = remembered.recall(state, host)
    if known is None:
        return  # it was never set up
    playbook.settle(state)
    layout = known.layout
    asked: dict[str, Any] = {
        "do": "clear",
        "prefix": layout.prefix,
        "configs": layout.configs,
        "packages": layout.packages,
        "data": layout.data,
        "user": layout.user,
        "firewall": layout.firewall,
        "temporary": layout.temporary,
        "hardening": layout.hardening,
    }
    left = _ssh(state, home, host).python(ON_HOST, asked, timeout=300)["left"]
    if left:
        raise HostError(f"Host {host}: {', '.join(left)} could not be removed.")
    playbook.host_variables(state, host).unlink(missing_ok=True)
    remembered.forget(state, host)


def clear(state: State, home: Path) -> None:
    """Take everything of the stack from the hosts that no other step has cleared.

    Raises HostError if some do not answer, when the others are cleared.
    """
    down: list[str] = []
    for host in remembered.names(state):
        try:
            host_down(state, home, host)
        except HostError as error:
            down.append(str(error))
    if down:
        raise HostError("\n".join(down))


def service_up(stack: PlacedStack, name: str) -> float:
    """Install and start a service, and wait until it is ready. Returns the seconds that it took.

    One that runs as it is planned is left alone: Terraform asks for it again after a deploy that could not reach it.

    Raises LakehouseError if Ansible fails, or if the service does not get ready.
    """
    service, incarnation = stack.planned[name]
    began = time.monotonic()
    if recorded(stack.state, name) == incarnation and stack.runtime.well(service):
        return 0.0
    _write(stack)
    folder, host = stack.state.config(name), stack.place.on(name)
    with rolling.turn(stack.runtime, service, stack.incarnations):
        if gone := [f"{stack.place.config(name)}/{path}" for path in sorted(former.gone(stack.state, service))]:
            stack.hosts[host].python(ON_HOST, {"do": "drop", "files": gone})
        former.clear(stack.state, service)
        for file in service.files:
            if not (file.once and (folder / file.path).exists()):
                write_private(folder / file.path, written(file.text, stack.state.secret))
        playbook.run(stack.state, [host], ["service"], {"service_only": [name]})
        remembered.came(stack.state, service, host)
        stack.runtime.await_ready(service)
    record(stack.state, name, incarnation)
    return time.monotonic() - began


def service_down(stack: PlacedStack, name: str) -> None:
    """Stop a service, and remove its unit and its configuration from its host.

    That is part of a destroy: what leaves the file, or another host, was stopped by the preflight. A host that does
    not answer is named and stops nothing here, because then others would go on running: to clear it fails at the end.
    """
    if name in stack.planned:
        try:
            _remove(stack.hosts[stack.place.on(name)], stack.place.layout, name)
            remembered.left(stack.state, name)
        except HostError as error:
            print(f"{name} is not stopped. {error}", file=sys.stderr)
    else:  # also of a host that was down then: so that it is strange there
        remembered.left(stack.state, name)
    shutil.rmtree(stack.state.config(name), ignore_errors=True)


def _remove(ssh: Ssh, layout: Layout, service: str, data: str = "") -> None:
    asked = {"do": "remove", "unit": layout.unit(service), "config": f"{layout.configs}/{service}", "data": data}
    ssh.python(ON_HOST, asked, timeout=_STOPPING)


def _write(stack: PlacedStack) -> None:
    """Write the inventory and the variables of the playbook."""
    state = stack.state
    playbook.write(
        state,
        inventory(stack.place.hosts, stack.place.home, playbook.known_hosts(state), stack.place.layout.temporary),
        variables(stack.services, stack.incarnations, stack.place, state.root / "services", stack.clients),
    )


def _ssh(state: State, home: Path, host: str) -> Ssh:
    """A host as it was when it was set up."""
    known = remembered.recall(state, host)
    assert known is not None
    return Ssh(host, known.host, home, playbook.known_hosts(state))
