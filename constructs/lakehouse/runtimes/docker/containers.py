"""Services as containers: what is asked of Docker for each, and whether what runs is that. Values alone, no Docker."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from lakehouse.packages import location
from lakehouse.runtimes.docker.images import image
from lakehouse.runtimes.docker.place import DockerPlace
from lakehouse.runtimes.generations import used
from lakehouse.runtimes.incarnation import Incarnation, digest
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK, Probe, Service
from lakehouse.text.later import ASIDE, definition, later
from lakehouse.text.placeholders import with_contents

FILE = "containers.json"

# Versions of the Terraform provider. Its bindings were made from 3.6.2 and ask for just that; what they know of works
# with all of these.
PROVIDER = ">= 3.6, < 5"

# Docker asks for these names of the stack's things; the first says whose they are.
STATE, SERVICE, INCARNATION = "lakehouse.state", "lakehouse.service", "lakehouse.incarnation"
ID, LAKEHOUSE, STACK = "lakehouse.id", "lakehouse.name", "lakehouse.stack"  # of volumes: the owner of the state folder


@dataclass(frozen=True)
class Naming:
    """How a stack's containers, volumes and network are called."""

    network: str
    volumes: str  # what the name of each begins with
    containers: str  # likewise; empty: a container is called as its service


@dataclass(frozen=True)
class Mount:
    """A folder or file of this machine, or a named volume (``source`` without a slash), in a container."""

    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class HealthCheck:
    """How Docker asks, inside the container, whether a service is ready. Times are in seconds."""

    test: tuple[str, ...]
    interval: int = 10  # each costs a tenth of a second of a core; who waits for a start asks from outside
    timeout: int = 10
    retries: int = 3  # half a minute of silence, and it counts as ill
    start_period: int = 300  # a failure before that counts for nothing


@dataclass(frozen=True)
class Container:
    """What is asked of Docker for a service."""

    name: str
    service: str
    image: str  # reference
    user: str  # uid:gid
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    directory: str
    mounts: tuple[Mount, ...]
    folders: tuple[str, ...]  # of its volume, made beforehand: what Docker makes in a volume belongs to root
    network: str
    ports: tuple[tuple[int, int], ...]  # in the container, on this machine
    memory_mb: int  # the limit
    health: HealthCheck
    probe: Probe  # the same, asked from this machine
    stop_seconds: int
    files: str  # digest of the configuration, which is mounted
    keeps_entrypoint: bool = later(False)  # the image's own; it gets the command without its first word
    credentials: tuple[str, ...] = field(default=(), metadata=ASIDE)  # the names of those in its files

    @property
    def volume(self) -> Mount:
        """The mount of its named volume."""
        return next(each for each in self.mounts if "/" not in each.source)

    @property
    def digest(self) -> str:
        """Changes with everything that is asked for."""
        return digest(definition(self))

    @property
    def is_job(self) -> bool:
        """Whether it is run to its end and removed."""
        return self.probe.kind == "end"

    @property
    def entrypoint(self) -> tuple[str, ...] | None:
        """The program; None for the image's own."""
        return None if self.keeps_entrypoint else self.command[:1]

    @property
    def config(self) -> str:
        """The folder of this machine that holds its configuration."""
        return self.mounts[1].source


@dataclass(frozen=True)
class ContainerSeen:
    """A container as Docker shows it."""

    name: str
    service: str
    incarnation: Incarnation
    status: str  # running, exited, restarting, paused ...
    health: str  # healthy, unhealthy, starting; empty where nothing asks
    pid: int
    started: float  # seconds of the epoch
    memory: int  # limit in bytes
    restart: str
    networks: tuple[str, ...]
    mounts: tuple[str, ...]  # targets
    test: tuple[str, ...]  # its health check
    ports: frozenset[int] = frozenset()  # of this machine, while it runs
    image: str = ""  # id

    @property
    def up(self) -> bool:
        return self.status == "running" and self.health != "unhealthy"


RESTART = "unless-stopped"


def containers(services: Iterable[Service], naming: Naming, state: State, place: DockerPlace) -> tuple[Container, ...]:
    """One container a service, with everything where ``place`` told the services that it is."""
    return tuple(_container(each, naming, state, place) for each in services)


def as_asked(container: Container, seen: ContainerSeen) -> bool:
    """Whether what is seen is still what was asked for: ``docker update`` and its like may have changed it."""
    return (
        seen.name == container.name
        and seen.memory == container.memory_mb << 20
        and seen.restart == RESTART
        and container.network in seen.networks
        and {each.target for each in container.mounts} <= set(seen.mounts)  # an image may declare more volumes
        and seen.test == container.health.test
    )


def write(folder: Path, some: tuple[Container, ...]) -> None:
    """Writes containers.json into the folder of the synthesised stack."""
    (folder / FILE).write_bytes(_JSON.dump_json(some, indent=1))


def read(path: Path) -> tuple[Container, ...]:
    """What :func:`write` wrote."""
    return _JSON.validate_json(path.read_bytes())


_JSON = TypeAdapter(tuple[Container, ...])


def _container(service: Service, naming: Naming, state: State, place: DockerPlace) -> Container:
    carried = image(service.image)
    config, data = place.config(service.name), place.data(service.name)
    numbers = {each.number: place.external(each.name).port for each in service.ports}
    jars = [name for name in service.packages if name not in carried.packages]
    return Container(
        name=f"{naming.containers}{service.name}",
        service=service.name,
        image=carried.reference,
        user=carried.user,
        command=_command(service),
        environment=service.environment,
        directory=service.directory or config,
        mounts=(
            Mount(f"{naming.volumes}{service.name}", data, read_only=False),
            Mount(str(state.config(service.name)), config, read_only=False),  # Trino keeps CREATE CATALOG's files there
            *(Mount(str(location(name)), place.package(name), read_only=True) for name in jars),
        ),
        folders=tuple(each.removeprefix(data).lstrip("/") for each in service.data),
        network=naming.network,
        ports=tuple(numbers.items()),
        memory_mb=limit(service),
        health=HealthCheck(check(service.probe, config, bash=carried.bash), start_period=service.probe.patience),
        probe=replace(service.probe, port=numbers.get(service.probe.port, 0)),
        stop_seconds=service.stop_seconds,
        keeps_entrypoint=service.keeps_entrypoint,
        credentials=used(service),
        files=digest([(each.path, with_contents(each.text)) for each in service.files]),
    )


def _command(service: Service) -> tuple[str, ...]:
    """What the container runs."""
    if not service.forgets:
        return service.command
    assert not service.keeps_entrypoint, "it would get a shell in place of its program"
    return ("/bin/sh", "-c", f'{service.forgetting} && exec "$0" "$@"', *service.command)


def limit(service: Service) -> int:
    """MiB that a container may have: a quarter more than its service needs, and room for the health check."""
    return service.memory_mb * 5 // 4 + 128


def check(probe: Probe, config: str = "", *, bash: bool) -> tuple[str, ...]:
    """The probe as a command of the container: bash speaks TCP itself, and some images have no other program.

    ``config`` is the folder of the service's configuration there.
    """
    if probe.kind == "exec":
        return ("CMD", *probe.command)
    if probe.kind == "end":
        return ("NONE",)
    if probe.kind == "https":
        return _https(probe, config, bash=bash)
    url = f"http://{LOOPBACK}:{probe.port}{probe.path}"
    if not bash:
        test = (
            f"curl -fs {url} | grep -q '{probe.expect}'" if probe.kind == "http" else f"nc -z {LOOPBACK} {probe.port}"
        )
        return ("CMD", "sh", "-c", test)
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
    """By curl if the image has it. bash speaks no TLS: without curl it is enough that the port is open."""
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
