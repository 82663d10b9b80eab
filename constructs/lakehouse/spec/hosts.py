"""Machines reached by SSH, for a stack with `runtime: hosts`, and which service is on which of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StrictInt,
    StrictStr,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from lakehouse.spec.base import Model
from lakehouse.spec.paths import CredentialsFile
from lakehouse.spec.values import Matching

_URL = re.compile(r"[A-Za-z0-9:/._~%\[\]+,=@-]+")  # without ? and #, because names of archives are appended to it
_GROUPS = ("all", "ungrouped", "lakehouse")  # the last is that of the inventory that a deploy writes
_NUMBERED = re.compile(r"(?P<engine>spark|trino)-worker-(?P<number>\d+)")


def checked_ip(value: str) -> str:
    """The address of a host. Raises ValueError if no other machine can reach it by that."""
    try:
        found = IPv4Address(value)
    except AddressValueError:
        raise ValueError(f'"{value}" is not an IPv4 address, by which the firewall knows the hosts') from None
    if found.is_loopback or found.is_unspecified or found.is_multicast:
        raise ValueError(f'"{value}" is no address by which another machine reaches a host')
    return value


def _no_group(value: str) -> str:
    if value in _GROUPS:
        raise ValueError(f'"{value}" is a group of hosts for Ansible, not a host. Choose another name')
    return value


def _network(value: Any) -> Any:
    """A network, or one address."""
    if not isinstance(value, str):
        return value
    try:
        return IPv4Network(value)
    except ValueError as error:
        raise ValueError(f'"{value}" is no IPv4 address or network ({error}): write 10.0.0.5 or 10.0.0.0/24') from None


def _key(value: str) -> str:
    if not value.strip() or not value.isprintable() or value.startswith(("~", "-")) or "PRIVATE KEY" in value:
        raise ValueError("key is the path of a file with a private key, relative to this one: not the key, and no ~")
    return value


def _folder_url(value: str) -> str:
    try:
        found = urlsplit(value)
        secret, port = found.username is not None or found.password is not None, found.port
    except ValueError as error:
        raise ValueError(f"it is no URL ({error})") from None
    if secret:  # nor shown
        raise ValueError("hosts keep no password: choose a URL that they may read without one, from their own network")
    if found.scheme not in ("http", "https") or not found.hostname or port == 0 or not _URL.fullmatch(value):
        raise ValueError(f'"{value}" is no URL of a folder, as in https://files.example.com/lakehouse')
    return value.rstrip("/")


PackagesUrl = Annotated[StrictStr, AfterValidator(_folder_url)]
HostName = Annotated[
    StrictStr,
    Matching(
        "a name for a host",
        "[a-z][a-z0-9-]{0,30}",
        "lower-case letters, digits and hyphens, a letter first, at most 31 characters",
    ),
    AfterValidator(_no_group),
]
_Reached = Annotated[
    StrictStr,
    Matching(
        "the address of a host",
        "[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?",
        "it is a name or an IPv4 address, as in 10.0.0.11",
    ),
]
_User = Annotated[
    StrictStr,
    Matching(
        "the name of a user", "[A-Za-z_][A-Za-z0-9._-]{0,63}", "letters, digits, dots, _ and -, a letter or _ first"
    ),
]
Client = Annotated[
    IPv4Network,
    BeforeValidator(_network, json_schema_input_type=str),
    PlainSerializer(lambda network: str(network).removesuffix("/32"), return_type=str),
]


class Host(Model):
    """A Linux machine with systemd, nftables and Python 3, reached by SSH."""

    address: _Reached
    """Name or IPv4 address by which this machine and clients reach it."""
    internal: Annotated[StrictStr, AfterValidator(checked_ip)] | None = None
    """IPv4 address by which the other hosts reach it. Default: `address`."""
    user: _User = "root"
    """Who logs in: root, or a user that may do everything by sudo without a password."""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 22
    """Port of its SSH server."""
    key: Annotated[StrictStr, AfterValidator(_key)] | None = None
    """File with the private key to log in, relative to this one. Default: what ssh finds by itself."""

    @property
    def inside(self) -> str:
        """The address by which the other hosts reach it."""
        return self.internal or self.address


class InventoryFile(Model):
    """The hosts of an existing inventory of Ansible's, instead of hosts written here."""

    inventory: CredentialsFile
    """File with an inventory, INI or YAML, relative to this one."""
    group: StrictStr = "all"
    """Its group whose hosts are meant. Default: all of its hosts."""


class OrInventory:
    """In the JSON Schema, hosts by name may also be an inventory."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), InventoryFile.model_json_schema()]}


class TrinoPlaces(Model):
    """The hosts of Trino."""

    coordinator: HostName | None = None
    """Host of the coordinator, or of the only server. Default: the first host."""
    workers: list[HostName] = []
    """Hosts of the workers, in turn. Default: all but the first; the first, if it is the only one."""


class SparkPlaces(Model):
    """The hosts of Spark."""

    master: HostName | None = None
    """Host of the master and of Spark Connect. Default: the first host."""
    workers: list[HostName] = []
    """Hosts of the workers, in turn. Default: all but the first; the first, if it is the only one."""


class Placement(Model):
    """Which services are on which host. What it does not name is on the first host, and workers on the others."""

    store: HostName | None = None
    """Host of the object store."""
    catalogs: HostName | None = None
    """Host of the catalogs' servers and of what they need."""
    trino: TrinoPlaces = TrinoPlaces()
    """Hosts of Trino."""
    spark: SparkPlaces = SparkPlaces()
    """Hosts of Spark."""

    @property
    def named(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Each place in it that names a host, and the name."""
        single = {
            ("store",): self.store,
            ("catalogs",): self.catalogs,
            ("trino", "coordinator"): self.trino.coordinator,
            ("spark", "master"): self.spark.master,
        }
        found: list[tuple[tuple[str | int, ...], str]] = [(at, name) for at, name in single.items() if name is not None]
        for word, workers in (("trino", self.trino.workers), ("spark", self.spark.workers)):
            found += [((word, "workers", nth), name) for nth, name in enumerate(workers)]
        return found


def host_of(name: str, hosts: Sequence[str], place: Placement, store: str) -> str:
    """The host of a service or of one of its ports, by its name. ``store`` is the kind of the store."""
    first, others = hosts[0], list(hosts[1:]) or [hosts[0]]
    if numbered := _NUMBERED.match(name):
        places = place.trino if numbered["engine"] == "trino" else place.spark
        workers = places.workers or others
        return workers[(int(numbered["number"]) - 1) % len(workers)]
    if _is(name, "trino"):
        return place.trino.coordinator or first
    if _is(name, "spark"):
        return place.spark.master or first
    return (place.store if _is(name, store) else place.catalogs) or first


def _is(name: str, kind: str) -> bool:
    return name == kind or name.startswith(f"{kind}-")
