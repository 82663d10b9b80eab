"""Services as containers: the settings of each, and whether a running container has them. Only values, no Docker."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lakehouse.packages import location
from lakehouse.runtimes.docker import archives
from lakehouse.runtimes.docker.images import image
from lakehouse.runtimes.generations import used
from lakehouse.runtimes.incarnation import Incarnation, digest
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Place, Probe, Service
from lakehouse.text.later import ASIDE, definition, later
from lakehouse.text.placeholders import with_contents

FILE = "containers.json"

# Versions of the Terraform provider. Its bindings were made from 3.6.2 and require exactly that version, but their
# resources work with all of these.
PROVIDER = ">= 3.6, < 5"

# Labels of the stack's containers, volumes and networks. The first names the state folder of their lakehouse.
STATE, SERVICE, INCARNATION = "lakehouse.state", "lakehouse.service", "lakehouse.incarnation"
# This machine's name in containers that call what runs beside them, and the word that is its address in Docker's API.
MACHINE, GATEWAY = "host.docker.internal", "host-gateway"
ID, LAKEHOUSE, STACK = "lakehouse.id", "lakehouse.name", "lakehouse.stack"  # of volumes: the owner of the state folder


@dataclass(frozen=True)
class Naming:
    """The names of a stack's containers, volumes and network."""

    network: str
    volumes: str  # prefix of their names
    containers: str  # prefix of their names; empty: containers have the names of their services


@dataclass(frozen=True)
class Mount:
    """A folder or file of this machine, or a named volume (``source`` without a slash), in a container."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class HealthCheck:
    """Docker's check, inside the container, that a service is ready. Times are in seconds."""

    test: tuple[str, ...]
    interval: int = 10  # each check needs 0.1 s of CPU time; a deploy that waits for a start probes from outside
    timeout: int = 10
    retries: int = 3  # after half a minute without an answer, the container is unhealthy
    start_period: int = 300  # failures before that do not count


@dataclass(frozen=True)
class Container:
    """The settings of a service's container."""

    name: str
    service: str
    image: str  # reference
    user: str  # uid:gid
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    directory: str
    mounts: tuple[Mount, ...]
    folders: tuple[str, ...]  # in its volume; made beforehand, because folders that Docker makes belong to root
    network: str
    ports: tuple[tuple[int, int], ...]  # in the container, on this machine
    memory_mb: int  # the limit
    health: HealthCheck
    probe: Probe  # the same check, from this machine
    stop_seconds: int
    files: str  # digest of the mounted configuration
    keeps_entrypoint: bool = later(False)  # the image's own entry point gets the command without its first word
    calls_outside: bool = later(False)  # it knows this machine by a name
    credentials: tuple[str, ...] = field(default=(), metadata=ASIDE)  # the names of the credentials in its files

    @property
    def volume(self) -> Mount:
        """The mount of its named volume."""
        return next(each for each in self.mounts if "/" not in each.source)

    @property
    def digest(self) -> str:
        """A digest of all settings."""
        return digest(definition(self))

    @property
    def is_job(self) -> bool:
        """Whether it is a one-shot job, whose container runs to its end and is removed."""
        return self.probe.kind == "end"

    @property
    def entrypoint(self) -> tuple[str, ...] | None:
        """The program to run; None for the image's own entry point."""
        return None if self.keeps_entrypoint else self.command[:1]

    @property
    def config(self) -> str:
        """The folder on this machine with its configuration."""
        return self.mounts[1].source


@dataclass(frozen=True)
class ContainerSeen:
    """A container as Docker reports it."""

    name: str
    service: str
    incarnation: Incarnation
    status: str  # running, exited, restarting, paused ...
    health: str  # healthy, unhealthy, starting; empty if it has no health check
    pid: int
    started: float  # seconds since the epoch
    memory: int  # limit in bytes
    restart: str
    networks: tuple[str, ...]
    mounts: tuple[str, ...]  # targets
    test: tuple[str, ...]  # its health check
    ports: frozenset[int] = frozenset()  # published on this machine, while it runs
    image: str = ""  # id

    @property
    def up(self) -> bool:
        return self.status == "running" and self.health != "unhealthy"


RESTART = "unless-stopped"


def containers(services: Iterable[Service], naming: Naming, state: State, place: Place) -> tuple[Container, ...]:
    """One container per service, with its files and ports as in ``place``."""
    return tuple(_container(each, naming, state, place) for each in services)


def as_asked(container: Container, seen: ContainerSeen) -> bool:
    """Whether a container still has the requested settings. Commands such as ``docker update`` may change them."""
    return (
        seen.name == container.name
        and seen.memory == container.memory_mb << 20
        and seen.restart == RESTART
        and container.network in seen.networks
        and {each.target for each in container.mounts} <= set(seen.mounts)  # an image may declare more volumes
        and seen.test == container.health.test
    )


def write(folder: Path, some: tuple[Container, ...]) -> None:
    """Write containers.json into the folder of the synthesised stack."""
    (folder / FILE).write_text(json.dumps([asdict(each) for each in some], indent=1))


def read(path: Path) -> tuple[Container, ...]:
    """The containers that :func:`write` wrote."""
    return tuple(_read(each) for each in json.loads(path.read_text()))


def _read(raw: dict[str, Any]) -> Container:
    """The container from the JSON of :func:`dataclasses.asdict`."""
    lists = ("command", "folders", "credentials")
    return Container(
        **raw
        | {key: tuple(raw[key]) for key in lists}
        | {key: tuple((first, second) for first, second in raw[key]) for key in ("environment", "ports")}
        | {
            "mounts": tuple(Mount(**each) for each in raw["mounts"]),
            "health": HealthCheck(**raw["health"] | {"test": tuple(raw["health"]["test"])}),
            "probe": Probe(**raw["probe"] | {"command": tuple(raw["probe"]["command"])}),
        }
    )


def _container(service: Service, naming: Naming, state: State, place: Place) -> Container:
    carried = image(service.image)
    config, data = place.config(service.name), place.data(service.name)
    numbers = {each.number: place.external(each.name).port for each in service.ports if not each.inner}
    health = check(service.probe, config, bash=carried.bash)
    jars = [name for name in service.packages if name not in carried.packages]
    return Container(
        name=f"{naming.containers}{service.name}",
        service=service.name,
        image=carried.reference,
        user=carried.user,
        command=command(service),
        environment=service.environment,
        directory=service.directory or config,
        mounts=(
            Mount(f"{naming.volumes}{service.name}", data, read_only=False),
            Mount(str(state.config(service.name)), config, read_only=False),  # Trino keeps CREATE CATALOG's files there
            *(Mount(str(location(name)), place.package(name), read_only=True) for name in jars),
            *((Mount(str(archives.folder()), archives.TARGET, read_only=True),) if archives.name(service) else ()),
        ),
        folders=tuple(each.removeprefix(data).lstrip("/") for each in service.data),
        network=naming.network,
        ports=tuple(numbers.items()),
        memory_mb=limit(service),
        health=HealthCheck(health, start_period=service.probe.patience),
        probe=_from_here(service, numbers, health),
        stop_seconds=service.stop_seconds,
        keeps_entrypoint=service.keeps_entrypoint,
        calls_outside=service.calls_outside,
        credentials=used(service),
        files=digest([(each.path, with_contents(each.text)) for each in service.files]),
    )


def _from_here(service: Service, numbers: Mapping[int, int], health: tuple[str, ...]) -> Probe:
    """The probe as seen from this machine. What is asked on a port that is not published, is asked in the container."""
    inner = {each.number for each in service.ports if each.inner}
    if service.probe.port in inner:
        return replace(service.probe, kind="exec", port=0, command=health[1:])
    return replace(service.probe, port=numbers.get(service.probe.port, 0))


def command(service: Service) -> tuple[str, ...]:
    """What the container runs: the service's command, after what a shell does before it, if there is anything."""
    before = [each for each in (archives.line(service), service.forgetting) if each]
    if not before:
        return service.command
    assert not service.keeps_entrypoint, "it would get a shell in place of its program"
    return ("/bin/sh", "-c", " && ".join((*before, 'exec "$0" "$@"')), *service.command)


def limit(service: Service) -> int:
    """The memory limit of a container in MiB: a quarter more than its service needs, and 128 for the health check."""
    return service.memory_mb * 5 // 4 + 128


def check(probe: Probe, config: str = "", *, bash: bool) -> tuple[str, ...]:
    """The probe as a command in the container. It uses bash for TCP, because some images have no other program.

    ``config`` is the folder of the service's configuration in the container.
    """
    if probe.kind == "exec":
        return ("CMD", *probe.command)
    if probe.kind == "end":
        return ("NONE",)
    if probe.kind == "https":
        return _https(probe, config, bash=bash)
    url = f"http://{LOOPBACK}:{probe.port}{probe.path}"
    if not bash:
        ask = f"curl -fs -o /dev/null {url}"  # an answer may have no body
        if probe.expect:
            ask = f"curl -fs {url} | grep -q '{probe.expect}'"
        # Not every nc has -z. With -w some wait that long, twice, for a server that says nothing.
        opens = f"nc -w 1 {LOOPBACK} {probe.port} </dev/null"
        return ("CMD", "sh", "-c", ask if probe.kind == "http" else opens)
    connect = f"exec 3<>/dev/tcp/{LOOPBACK}/{probe.port}"
    if probe.kind == "tcp":
        return ("CMD", "bash", "-c", connect)
    ask = f"printf 'GET {probe.path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3"
    answered = "read -r _ code _ <&3 && [[ $code == 2* ]]"
    if not probe.expect:
        return ("CMD", "bash", "-c", f"{connect} && {ask} && {answered}")
    found = f"[[ $line == *'{probe.expect}'* ]] && exit 0"
    read = f"while IFS= read -r line || [[ $line ]]; do {found}; done <&3; exit 1"
    return ("CMD", "bash", "-c", f"{connect} && {ask} && {answered} && {{ {read}; }}")


def _https(probe: Probe, config: str, *, bash: bool) -> tuple[str, ...]:
    """The probe with curl if the image has it. Otherwise it only opens the port, because bash has no TLS."""
    trust = f"--cacert {shlex.quote(f'{config}/{probe.trust}')} " if probe.trust else ""
    url = shlex.quote(f"https://{LOOPBACK}:{probe.port}{probe.path}")
    ask = f"answer=$(curl -fs {trust}{url})"
    found = f"case $answer in *{shlex.quote(probe.expect)}*) ;; *) exit 1;; esac"
    if not bash:
        return ("CMD", "sh", "-c", f"{ask} && {found}")
    return (
        "CMD",
        "bash",
        "-c",
        f"if command -v curl >&-; then {ask} && {found}; else exec 3<>/dev/tcp/{LOOPBACK}/{probe.port}; fi",
    )
