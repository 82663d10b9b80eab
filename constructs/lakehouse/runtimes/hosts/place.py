"""The place of services that run on other machines, and where everything of a stack is there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lakehouse.errors import LakehouseError
from lakehouse.packages import location
from lakehouse.packages.cached import folder
from lakehouse.packages.jvm import is_package
from lakehouse.services.service import LOOPBACK, Address, BehindProxy, Toolkit
from lakehouse.spec.hosts import Host, Placement, host_of
from lakehouse.spec.kinds import Listener
from lakehouse.text.placeholders import Content, Secret

STACK = "hosts.json"  # beside services.json: the hosts, and what is where
ANY = "0.0.0.0"  # noqa: S104 - the firewall of the host decides who reaches it
_PROXY = "proxy-"  # the beginning of the name of a host's proxy
_LONGEST_USER = 31  # useradd(8)


@dataclass(frozen=True)
class Layout:
    """Where everything of a stack is on each of its hosts. ``id`` is LAKEHOUSE-STACK."""

    id: str

    @property
    def packages(self) -> str:
        return f"/opt/lakehouse/{self.id}"

    @property
    def configs(self) -> str:
        return f"/etc/lakehouse/{self.id}"

    @property
    def data(self) -> str:
        return f"/var/lib/lakehouse/{self.id}"

    @property
    def user(self) -> str:
        """The user of all services. Its name is shortened if it were too long for the system."""
        name = f"lh-{self.id}"
        return name if len(name) <= _LONGEST_USER else f"lh-{hashlib.sha256(self.id.encode()).hexdigest()[:12]}"

    @property
    def table(self) -> str:
        """The firewall's table."""
        return f"lakehouse_{self.id}".replace("-", "_")

    @property
    def temporary(self) -> str:
        """The folder of Ansible's own files, below the home of who logs in."""
        return f".lakehouse-{self.id}"

    @property
    def prefix(self) -> str:
        """The beginning of the names of all units."""
        return f"lakehouse-{self.id}."

    @property
    def firewall(self) -> str:
        """The unit that loads the firewall's table."""
        return f"lakehouse-{self.id}-firewall.service"

    @property
    def hardening(self) -> list[str]:
        """The files with which a host itself is hardened: see ansible/roles/hardening/vars."""
        return [
            f"/etc/ssh/sshd_config.d/10-lakehouse-{self.id}.conf",
            f"/etc/sysctl.d/90-lakehouse-{self.id}.conf",
            f"/etc/apt/apt.conf.d/90lakehouse-{self.id}",
        ]

    def unit(self, service: str) -> str:
        return f"{self.prefix}{service}.service"


@dataclass(frozen=True)
class HostsPlace:
    """A :class:`lakehouse.services.service.Place`: machines that find each other by their addresses."""

    layout: Layout
    hosts: Mapping[str, Host]
    placement: Placement
    store: str  # the kind of the store
    listeners: Mapping[str, Listener]
    home: Path  # the folder of lakehouse.yaml
    trust: str = ""
    harden: tuple[str, ...] = ()  # what is hardened of the hosts themselves
    mirror: str = ""  # the URL of a folder from which they fetch packages; without, this machine uploads them

    def on(self, service: str) -> str:
        """The name of the host of a service, or of one of its ports."""
        if service.startswith(_PROXY):
            return service.removeprefix(_PROXY)
        return host_of(service, list(self.hosts), self.placement, self.store)

    def package(self, name: str) -> str:
        here, root = location(name), folder(name)
        inner = here.relative_to(root) if here.is_relative_to(root) else Path(here.name)
        return str(PurePosixPath(self.layout.packages, root.name, inner))

    def java(self, feature: int) -> str:
        if not is_package(feature):
            raise LakehouseError(
                f"A service needs Java {feature}, which no package has, and this release brings no other Java to "
                "hosts. Choose another `version` under `engines`."
            )
        return f"{self.package(f'java-{feature}')}/bin/java"

    def toolkit(self) -> Toolkit:
        raise AssertionError("no host has this toolkit")  # no kind for hosts asks

    def config(self, service: str) -> str:
        return f"{self.layout.configs}/{service}"

    def data(self, service: str) -> str:
        return f"{self.layout.data}/{service}"

    def host(self, service: str) -> str:
        return self.hosts[self.on(service)].inside

    def bind(self) -> str:
        return ANY

    def behind(self, service: str) -> BehindProxy:
        """Each host has a proxy of its own, so that what is behind it need not listen on the network."""
        return BehindProxy(f"{_PROXY}{self.on(service)}", LOOPBACK, LOOPBACK)

    def port(self, name: str) -> int:
        return self.listeners[name].number

    def external(self, port: str) -> Address:
        return Address(self.hosts[self.on(port)].address, self.listeners[port].number)

    def called(self, port: str) -> Address:
        raise AssertionError("on hosts every service has a host of its own")

    def secret(self, name: str) -> Secret:
        return Secret(name)

    def beside(self, path: str, *, public: bool = False) -> Content:
        return Content(str(self.home / path), public)

    def named(self, path: str) -> str:
        raise AssertionError("no kind for hosts names folders of this machine")

    @property
    def outside(self) -> HostsPlace:
        return self

    @property
    def secure(self) -> bool:
        return bool(self.trust)

    @property
    def drains(self) -> bool:
        return True
