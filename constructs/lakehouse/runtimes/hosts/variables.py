"""What Ansible needs to know of a stack: its hosts as an inventory, and its services as variables. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lakehouse.runtimes.hosts.place import HostsPlace
from lakehouse.runtimes.hosts.ssh import option
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.services.certificate import AUTHORITIES
from lakehouse.services.service import File, Service
from lakehouse.spec.hosts import Host
from lakehouse.text.placeholders import issued

GROUP = "lakehouse"
_CHOOSES = "spark"  # its drivers and executors listen on ports that they choose themselves


def inventory(hosts: Mapping[str, Host], folder: Path, known_hosts: Path, temporary: str) -> dict[str, Any]:
    """The hosts as an inventory in YAML's form of Ansible. ``folder`` is that of lakehouse.yaml.

    ``temporary`` is the folder for Ansible's own files, below the home of who logs in.
    """
    known = {name: _host(each, folder, known_hosts) for name, each in hosts.items()}
    return {GROUP: {"hosts": known, "vars": {"ansible_remote_tmp": f"~/{temporary}"}}}


def _host(host: Host, folder: Path, known_hosts: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_port": host.port,
        "ansible_become": host.user != "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": shlex.join(
            ("-o", option("UserKnownHostsFile", known_hosts), "-o", "StrictHostKeyChecking=accept-new")
        ),
    }
    # Ansible puts it between quotes of ssh's own, and escapes nothing.
    return found | ({"ansible_ssh_private_key_file": str(folder / host.key).replace("%", "%%")} if host.key else {})


def variables(
    services: Sequence[Service],
    incarnations: Mapping[str, Incarnation],
    place: HostsPlace,
    files: Path,
    clients: Sequence[IPv4Network],
) -> dict[str, Any]:
    """The variables of the roles. ``files`` is the folder of this machine with a folder of files for each service."""
    layout = place.layout
    return {
        "lakehouse_id": layout.id,
        "lakehouse_user": layout.user,
        "lakehouse_packages_folder": layout.packages,
        "lakehouse_configs_folder": layout.configs,
        "lakehouse_data_folder": layout.data,
        "lakehouse_files": str(files),
        "lakehouse_packages": [],  # of a host that is not set up yet; its own variables say which
        "lakehouse_firewall": firewall(services, place, clients),
        "hardening_parts": list(place.harden),
        "lakehouse_services": [_service(each, str(incarnations[each.name]), place) for each in services],
    }


def packages(services: Iterable[Service], place: HostsPlace) -> dict[str, list[str]]:
    """The names of the packages that each host needs, Java among them."""
    found: dict[str, dict[str, None]] = {name: {} for name in place.hosts}
    for each in services:
        java = [] if each.java is None else [f"java-{each.java}"]
        found[place.on(each.name)] |= dict.fromkeys((*java, *each.packages))
    return {host: list(names) for host, names in found.items()}


def firewall(services: Iterable[Service], place: HostsPlace, clients: Sequence[IPv4Network]) -> dict[str, Any]:
    """The ports of each host, and who reaches them: ``inner`` ones only the hosts, ``outer`` ones clients too.

    On hosts that are ``choosing``, programs listen on ports that they choose themselves, which only hosts reach.
    """
    ports: dict[str, dict[str, list[int]]] = {name: {"inner": [], "outer": []} for name in place.hosts}
    choosing: set[str] = set()
    for service in services:
        if service.name.startswith(_CHOOSES):
            choosing.add(place.on(service.name))
        for port in service.ports:
            ports[place.on(service.name)]["inner" if port.inner else "outer"].append(port.number)
    return {
        "table": place.layout.table,
        "unit": place.layout.firewall,
        "hosts": sorted({each.inside for each in place.hosts.values()}),
        "clients": [str(each) for each in clients],
        "choosing": sorted(choosing),
        "ports": {host: {key: sorted(numbers) for key, numbers in each.items()} for host, each in ports.items()},
    }


def _service(service: Service, incarnation: str, place: HostsPlace) -> dict[str, Any]:
    layout = place.layout
    config = place.config(service.name)
    return {
        "name": service.name,
        "host": place.on(service.name),
        "unit": layout.unit(service.name),
        "incarnation": incarnation,
        "command": " ".join(map(word, service.command)),
        "environment": [word(f"{key}={value}") for key, value in service.environment],
        "config": config,
        "directory": service.directory or config,
        "data": list(service.data),
        "files": [{"path": each.path, "once": each.once} for each in service.files if not issued(each.text)],
        "certificates": [{"path": each.path, "own": is_own(each)} for each in service.files if issued(each.text)],
        "renewal": service.renewal,
        "memory_mb": service.memory_mb,
        "stop_seconds": service.stop_seconds,
        "stop_signal": f"SIG{service.stop_signal}",
        "before": word(service.forgetting) if service.forgetting else "",
        "after": [layout.unit(need) for need in service.needs if place.on(need) == place.on(service.name)],
    }


def is_own(file: File) -> bool:
    """Whether a file has a certificate of the service itself, and not only of whom it trusts."""
    return any(part.certificate not in AUTHORITIES for part in issued(file.text))


def word(text: str) -> str:
    """A word of a command or an assignment in a unit, as systemd reads it.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'
