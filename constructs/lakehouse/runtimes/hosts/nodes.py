"""The machines of `engines: ec2` in AWS: what each kind of them runs. Pure.

A worker comes and goes by load, so nobody configures it from outside. A description of its kind lies in a bucket of the
stack, and the instance makes itself what that says, by :mod:`lakehouse.runtimes.hosts.on_instance`: with the same
services, roles of Ansible and units as on hosts. What only the instance knows is a mark in it: its own address, its id,
and secrets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from lakehouse import toolkit
from lakehouse.access.names import Names, names
from lakehouse.aws.endpoints import endpoints
from lakehouse.errors import UsageError
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.kinds.engines import spark, trino
from lakehouse.packages.environment import ANSIBLE
from lakehouse.runtimes.hosts.place import HostsPlace, Layout
from lakehouse.runtimes.hosts.seen import ON_HOST, asked, stamp_file
from lakehouse.runtimes.hosts.uploads import stamp
from lakehouse.runtimes.hosts.variables import packages, variables
from lakehouse.runtimes.incarnation import Incarnation, digest
from lakehouse.services.service import File, Service
from lakehouse.spec import Lakehouse
from lakehouse.spec.hosts import Host, Placement, SparkPlaces, TrinoPlaces
from lakehouse.spec.kinds import Listener
from lakehouse.text.later import definition
from lakehouse.text.placeholders import Secret, Text, joined, parts
from lakehouse.text.properties import properties

COORDINATOR, TRINO_WORKER = "trino-coordinator", "trino-worker"
MASTER, SPARK_WORKER = "spark-master", "spark-worker"
_PLANNED = "000000000000"
#: Where a worker puts its own address and its id.
ADDRESS, ID = "this-instance.invalid", "this-instance-id"
#: The secret of Secrets Manager by which Spark's processes know each other.
AUTHENTICATE = "spark-authenticate"
ON_INSTANCE = Path(__file__).with_name("on_instance.py")
_WORKERS = ("trino-worker-1", "spark-worker-1")  # an instance has one, and each thinks that it is the first
# A driver or an executor without the secret is not let in.
_AUTHENTICATED: Mapping[str, Text] = {
    "spark.authenticate": "true",
    "spark.authenticate.secret": Secret(AUTHENTICATE),
    "spark.network.crypto.enabled": "true",
    "spark.network.crypto.saslFallback": "false",
}
# Ports of drivers and executors, which the security group lets in: lakehouse.aws.engines_ec2.SPARK_PORTS. One that is
# taken, as by another application, makes Spark try the next one.
_PORTS = {"spark.driver.port": "7100", "spark.blockManager.port": "7140", "spark.port.maxRetries": "32"}
# Variables of roles that no instance has, and those that it sets.
_NOT_THERE = ("lakehouse_firewall", "hardening_parts", "lakehouse_files", "lakehouse_packages")
_SETTINGS: Mapping[str, Mapping[str, Text]] = {
    "spark.conf": _AUTHENTICATED,
    "spark-defaults.conf": {**_AUTHENTICATED, **_PORTS},
}


@dataclass(frozen=True)
class InstanceKind:
    """A kind of machine. ``description`` can be written as JSON; ``packages`` are names in the catalogue."""

    name: str
    description: Mapping[str, Any]
    packages: tuple[str, ...]
    memory_mb: int  # what its services may need

    @property
    def digest(self) -> str:
        """Changes with everything that an instance of it would have."""
        return digest([self.description, [(each, stamp(each)) for each in self.packages], software()])

    @property
    def key(self) -> str:
        """The key of the description in the bucket."""
        return f"nodes/{self.name}-{self.digest}.json"


def nodes(lakehouse: Lakehouse, at: Names) -> dict[str, InstanceKind]:
    """The kinds of machines of a stack, by name.

    Raises UsageError if the file has one of the marks that stand for values, LakehouseError if no package has the Java
    that a service needs.
    """
    if any(each in json.dumps(lakehouse.model_dump(mode="json", include={"engines"})) for each in (ADDRESS, ID)):
        raise UsageError(f'engines: "{ADDRESS}" and "{ID}" stand for an instance of AWS. Choose other text')
    catalogs = endpoints(lakehouse, at)
    lakehouse = _clustered(lakehouse)
    place = _place(lakehouse, at)
    found = {each.name: _own(each) for each in _services(place, lakehouse, catalogs)}
    services = tuple(each for name, each in found.items() if "-worker-" not in name or name in _WORKERS)
    incarnations = {each.name: Incarnation(digest(definition(each)), "0") for each in services}
    needed = packages(services, place)
    common = variables(services, incarnations, place, Path(), ())
    return {
        name: InstanceKind(
            name,
            _description(name, at, place, services, common),
            tuple(needed[name]),
            sum(each.memory_mb for each in services if place.on(each.name) == name),
        )
        for name in place.hosts
        if needed[name]
    }


def planned(lakehouse: Lakehouse, stack: str) -> dict[str, InstanceKind]:
    """As :func:`nodes`, before Terraform knows the account: their keys are those in the bucket."""
    return nodes(lakehouse, names(lakehouse, stack, _PLANNED))


def digest_of(found: Mapping[str, InstanceKind]) -> str:
    """Changes with everything that a stack's instances would have."""
    return digest([each.digest for each in found.values()])


def kinds(lakehouse: Lakehouse) -> list[str]:
    """The names of the kinds of machines that a stack has, without what they run."""
    of_trino = [COORDINATOR, TRINO_WORKER] if lakehouse.engines.trino else []
    return of_trino + ([MASTER, SPARK_WORKER] if lakehouse.engines.spark else [])


def domain(at: Names) -> str:
    """The private zone in which coordinator and master have their names."""
    return f"{at.prefix}.internal"


@cache
def software() -> str:
    """A digest of what every instance gets beside packages: the roles, Ansible's lock, and the programs."""
    digest = hashlib.sha256()
    for path in (*sources(), ANSIBLE.lock):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def sources() -> list[Path]:
    """The files of the playbook's folder, and the programs."""
    roles = sorted(each for each in (toolkit.root() / "ansible").rglob("*") if each.is_file())
    return [*roles, ON_HOST, ON_INSTANCE]


def _clustered(lakehouse: Lakehouse) -> Lakehouse:
    """With workers of both engines: on instances the coordinator only coordinates, and Spark is always a cluster."""
    engines = lakehouse.engines
    if engines.trino is not None and not engines.trino.workers:
        engines = engines.model_copy(update={"trino": engines.trino.model_copy(update={"workers": 1})})
    if engines.spark is not None and not engines.spark.cluster:
        engines = engines.model_copy(update={"spark": engines.spark.model_copy(update={"cluster": True})})
    return lakehouse.model_copy(update={"engines": engines})


def _place(lakehouse: Lakehouse, at: Names) -> HostsPlace:
    """Coordinator and master have names in the zone, and a worker its own address. Ports are the usual ones."""
    zone = domain(at)
    hosts = {
        COORDINATOR: Host(address=f"trino.{zone}"),
        TRINO_WORKER: Host(address=ADDRESS),
        MASTER: Host(address=f"spark.{zone}"),
        SPARK_WORKER: Host(address=ADDRESS),
    }
    placement = Placement(
        trino=TrinoPlaces(coordinator=COORDINATOR, workers=[TRINO_WORKER]),
        spark=SparkPlaces(master=MASTER, workers=[SPARK_WORKER]),
    )
    return HostsPlace(Layout(at.prefix), hosts, placement, "s3", dict(_listeners(lakehouse)), Path())


def _listeners(lakehouse: Lakehouse) -> Iterator[tuple[str, Listener]]:
    for kind, entry in ((trino.TRINO, lakehouse.engines.trino), (spark.SPARK, lakehouse.engines.spark)):
        for each in kind.listeners if entry is not None else ():
            for number in range(1, getattr(entry, each.each) + 1) if each.each else (0,):
                yield each.name.format(number), replace(each, number=each.inside)


def _services(place: HostsPlace, lakehouse: Lakehouse, catalogs: Sequence[CatalogEndpoint]) -> Iterator[Service]:
    yield from trino.services(place, lakehouse, catalogs)
    yield from spark.services(place, lakehouse, catalogs)


def _own(service: Service) -> Service:
    """The service with what is its own on an instance: the id of a server of Trino, and Spark's secret."""
    return replace(service, files=tuple(_of_instance(service.name, each) for each in service.files))


def _of_instance(service: str, file: File) -> File:
    if service.startswith("spark") and file.path in _SETTINGS:
        return replace(file, text=joined([file.text, "\n", properties(_SETTINGS[file.path])]))
    if file.path != "config.properties":
        return file
    line, own = f"node.id={service}\n", f"node.id={ID}\n"
    return replace(
        file, text=joined([each.replace(line, own) if isinstance(each, str) else each for each in parts(file.text)])
    )


def _description(
    name: str, at: Names, place: HostsPlace, services: Sequence[Service], common: Mapping[str, Any]
) -> dict[str, Any]:
    own = [each for each in services if place.on(each.name) == name]
    layout = place.layout
    units = [each for each in common["lakehouse_services"] if each["host"] == name]
    given = {key: value for key, value in common.items() if key not in _NOT_THERE}
    return {
        "node": name,
        "prefix": at.prefix,
        "region": at.region,
        "domain": domain(at),
        "variables": {**given, "lakehouse_services": units},
        "files": {each.name: {file.path: _written(file.text) for file in each.files} for each in own},
        "packages": {each: stamp_file(place, each) for each in packages(own, place)[name]},
        "services": {
            each.name: {
                "unit": layout.unit(each.name),
                "patience": each.probe.patience,
                "drain": asdict(each.drain) if each.drain else None,
                **asked(each, place),
            }
            for each in own
        },
        "load": {COORDINATOR: "trino", MASTER: "spark"}.get(name, ""),
    }


def _written(text: Text) -> list[Any]:
    """The text as JSON: what is no string is the name of a secret."""
    found: list[Any] = []
    for part in parts(text):
        assert isinstance(part, str | Secret), part  # nothing else is in a stack that is not `secure`
        found.append(part if isinstance(part, str) else {"secret": part.secret})
    return found


def secrets(found: Iterable[InstanceKind]) -> list[str]:
    """The names of the secrets that the instances read."""
    texts = [text for each in found for files in each.description["files"].values() for text in files.values()]
    return sorted({part["secret"] for text in texts for part in text if not isinstance(part, str)})
