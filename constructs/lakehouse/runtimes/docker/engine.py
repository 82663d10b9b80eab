"""Access to Docker: containers, images and volumes. https://docker-py.readthedocs.io/"""

from __future__ import annotations

import datetime
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.containers import (
    GATEWAY,
    ID,
    INCARNATION,
    MACHINE,
    SERVICE,
    STATE,
    Container,
    ContainerSeen,
)
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.state import State
from lakehouse.services.service import LOOPBACK

if TYPE_CHECKING:
    from docker import DockerClient


@contextmanager
def errors_reported() -> Iterator[None]:
    """Raise LakehouseError for Docker's errors, also if it does not answer."""
    try:
        yield
    except LakehouseError:
        raise
    except Exception as error:
        # Imported only now: most steps of a deploy need no Docker, and its client costs 0.14 s of processor time.
        from docker.errors import DockerException
        from requests import RequestException

        if not isinstance(error, (DockerException, RequestException)):
            raise
        raise LakehouseError(f"Docker: {getattr(error, 'explanation', None) or error}") from error


_LOWEST = 2  # of Docker's CPU shares, of which a container has 1024 unless it says otherwise
OLDEST = (20, 10)  # older versions do not limit memory on every kernel, and are no longer maintained


def numbers(version: str) -> tuple[int, ...]:
    """``28.2.2`` as (28, 2), to compare with :data:`OLDEST`."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


class DockerEngine:
    """The Docker that DOCKER_HOST names, or this machine's. Every call asks Docker; nothing is cached."""

    @cached_property
    def client(self) -> DockerClient:
        """The client. Raises LakehouseError if Docker does not answer."""
        import docker  # takes 0.14 s, only for stacks on Docker
        from docker.errors import DockerException

        try:
            client = docker.from_env(timeout=60)
            client.ping()
        except DockerException as error:
            raise LakehouseError(
                f"Docker does not answer: {error}. Install it or start it (`dockerd`), let this user use its "
                "socket, or set DOCKER_HOST; `runtime: process` needs no Docker."
            ) from error
        return client

    def version(self) -> str:
        return str(self.client.version()["Version"])

    def total_memory(self) -> int:
        """MiB of memory for all containers together."""
        return int(self.client.info()["MemTotal"]) >> 20

    def folder(self) -> Path:
        """The folder of Docker's images and volumes, on Docker's machine."""
        return Path(self.client.info()["DockerRootDir"])

    def interface(self) -> str:
        """The interface of this machine whose address containers know as that of the machine. Empty: there is none."""
        from docker.errors import NotFound

        try:
            options = self.client.networks.get("bridge").attrs["Options"] or {}
        except NotFound:
            return ""
        return str(options.get("com.docker.network.bridge.name", ""))

    def seen(self, state: State) -> dict[str, ContainerSeen]:
        """The stack's containers by service, running or not; empty if Docker does not answer."""
        try:
            found = self.client.containers.list(
                all=True, filters={"label": f"{STATE}={state.root}"}, ignore_removed=True
            )
        except LakehouseError:
            return {}
        return {each.service: each for each in (_seen(container.attrs) for container in found)}

    def look(self, name: str) -> ContainerSeen | None:
        """The container of that name, or None."""
        from docker.errors import NotFound

        try:
            return _seen(self.client.api.inspect_container(name))
        except NotFound:
            return None

    def owner(self, kind: str, name: str) -> str | None:
        """The state folder of the lakehouse that has a container, volume or network of that name.

        Empty if no lakehouse created it, None if it does not exist.
        """
        from docker.errors import NotFound

        try:
            found: Any = getattr(self.client, f"{kind}s").get(name)
        except NotFound:
            return None
        attributes = found.attrs
        labels = attributes.get("Labels") or attributes.get("Config", {}).get("Labels") or {}
        return str(labels.get(STATE, ""))

    def id_of(self, volume: str) -> str:
        """The id of the lakehouse that created a volume; empty if an earlier version or something else created it."""
        from docker.errors import NotFound

        try:
            labels = self.client.volumes.get(volume).attrs.get("Labels") or {}
        except NotFound:
            return ""
        return str(labels.get(ID, ""))

    def log(self, name: str, lines: int) -> str:
        """The last ``lines`` lines of a container's log."""
        return bytes(self.client.containers.get(name).logs(tail=lines)).decode(errors="replace")

    def remove(self, seen: ContainerSeen, grace: int) -> None:
        """Stop and remove a container and its anonymous volumes. ``grace`` is in seconds. Its named volume stays."""
        from docker.errors import NotFound

        try:
            found = self.client.containers.get(seen.name)
            found.stop(timeout=grace)
            found.remove(v=True, force=True)
        except NotFound:
            return

    def networks(self, state: State) -> frozenset[str]:
        """The names of the stack's networks."""
        return frozenset(
            str(each.name) for each in self.client.networks.list(filters={"label": f"{STATE}={state.root}"})
        )

    def make_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a network of this machine. Raises docker's APIError if the name is taken."""
        self.client.networks.create(name, driver="bridge", labels=dict(labels), check_duplicate=True)

    def remove_network(self, name: str) -> None:
        """Remove a network, if it is there. Raises LakehouseError with the names of containers that still use it."""
        from docker.errors import APIError, NotFound

        try:
            found = self.client.networks.get(name)
            found.remove()
        except NotFound:
            return
        except APIError as error:
            users = sorted(str(each["Name"]) for each in found.attrs["Containers"].values())
            if not users:
                raise
            raise LakehouseError(
                f"The network {name} cannot be removed, because it has containers of others: {', '.join(users)}. "
                f"Stop them, or `docker network disconnect {name} NAME`, then repeat the command."
            ) from error

    def has_image(self, reference: str) -> bool:
        return self.image(reference) != ""

    def image(self, reference: str) -> str:
        """The id of an image that Docker has; empty if it does not have it."""
        from docker.errors import ImageNotFound

        try:
            return str(self.client.images.get(reference).id)
        except ImageNotFound:
            return ""

    def pull(self, reference: str) -> None:
        """Pull an image. Raises LakehouseError if it cannot be pulled; the message explains how to build it instead."""
        from docker.errors import APIError

        def refused(why: object) -> LakehouseError:
            return LakehouseError(
                f"Image {reference} is missing here and cannot be pulled: {why}. "
                f"`{toolkit.command('images')}` builds it from the packages, without a registry."
            )

        repository, _, tag = reference.rpartition(":")
        try:
            for line in self.client.api.pull(repository, tag, stream=True, decode=True):
                if "error" in line:  # an error after the answer began: a layer that fails, a full disk
                    raise refused(line["error"])
        except APIError as error:
            raise refused(error.explanation or error) from error

    def images(self, references: Iterable[str]) -> dict[str, str]:
        """The ids of the images that Docker has, by their references."""
        ids = {each: self.image(each) for each in references}
        return {reference: found for reference, found in ids.items() if found}

    def output(self, reference: str, command: Sequence[str], labels: Mapping[str, str]) -> str:
        """The output of a command in a container of the image, which is removed."""
        said = self.client.containers.run(
            reference,
            entrypoint=[command[0]],
            command=list(command[1:]),
            network_mode="none",
            stderr=True,
            remove=True,
            labels=dict(labels),
        )
        return bytes(said).decode(errors="replace")

    def run(self, asked: Container, labels: Mapping[str, str], *, lowest: bool = False) -> tuple[int | None, str]:
        """Run a container to its end and remove it. Returns its exit code and its output.

        The exit code is None if it did not end in time. A container of the same name that an interrupted run left
        behind is removed first. ``lowest``: it gets the smallest share of the processor.
        """
        from requests import RequestException

        made = self._make(asked, labels, lowest=lowest)
        try:
            made.start()
            try:
                code = int(made.wait(timeout=asked.probe.patience)["StatusCode"])
            except RequestException:  # docker-py raises it if the time is over
                code = None
            return code, made.logs().decode(errors="replace")
        finally:
            made.remove(v=True, force=True)

    def start(self, asked: Container, labels: Mapping[str, str], *, lowest: bool = False) -> None:
        """Start a container, which Docker never starts again. ``lowest`` as in :meth:`run`."""
        self._make(asked, labels, lowest=lowest).start()

    def stop(self, name: str, grace: int) -> None:
        """Stop a container, within ``grace`` seconds."""
        self.client.containers.get(name).stop(timeout=grace)

    def _make(self, asked: Container, labels: Mapping[str, str], *, lowest: bool) -> Any:
        """Create a container. One of the same name that was left behind is removed first."""
        from docker.errors import NotFound
        from docker.types import Mount

        with suppress(NotFound):
            self.client.containers.get(asked.name).remove(force=True)
        names = self.client.api.create_endpoint_config(aliases=[asked.service])
        return self.client.containers.create(
            asked.image,
            name=asked.name,
            hostname=asked.service,
            entrypoint=None if asked.entrypoint is None else list(asked.entrypoint),
            command=list(asked.command[1:]),
            environment=dict(asked.environment),
            user=asked.user,
            working_dir=asked.directory,
            mounts=[
                Mount(
                    each.target, each.source, type="bind" if "/" in each.source else "volume", read_only=each.read_only
                )
                for each in asked.mounts
            ],
            network=asked.network,
            networking_config=None if asked.network == "none" else {asked.network: names},
            ports={f"{inside}/tcp": (LOOPBACK, outside) for inside, outside in asked.ports},
            extra_hosts={MACHINE: GATEWAY} if asked.calls_outside else None,
            mem_limit=f"{asked.memory_mb}m",
            memswap_limit=f"{asked.memory_mb}m",
            cpu_shares=_LOWEST if lowest else None,
            healthcheck={"test": ["NONE"]},  # an image's own may have no patience; it is probed from this machine
            security_opt=["no-new-privileges:true"],
            labels=dict(labels),
        )

    def remove_below(self, folder: Path) -> None:
        """Remove what belongs to the lakehouses whose state folders are in the folder, with their data."""
        from docker.errors import NotFound

        def ours(each: Any) -> bool:
            labels = each.attrs.get("Labels") or each.attrs.get("Config", {}).get("Labels") or {}
            return Path(labels.get(STATE, "/")).is_relative_to(folder)

        marked: dict[str, str | list[str] | bool] = {"label": STATE}
        found = self.client.containers.list(all=True, filters=marked, ignore_removed=True)
        for container in filter(ours, found):
            with suppress(NotFound):
                container.remove(v=True, force=True)
        for network in filter(ours, self.client.networks.list(filters=marked)):
            with suppress(NotFound):
                network.remove()
        for volume in filter(ours, self.client.volumes.list(filters=marked)):
            with suppress(NotFound):
                volume.remove(force=True)

    def ends_well(self, container: str, command: Sequence[str]) -> bool:
        """Whether a command in a running container ends with 0; False if the container does not run."""
        from docker.errors import APIError

        try:
            return bool(self.client.containers.get(container).exec_run(list(command)).exit_code == 0)
        except APIError:
            return False

    def make_volumes(self, containers: Sequence[Container], labels: Mapping[str, str]) -> None:
        """Create the missing volumes, and folders in them that belong to the containers' users.

        Raises LakehouseError if the folders cannot be created.
        """
        volumes = {each.volume.source: each for each in containers}
        folders = {f"/volumes/{name}/{folder}": each.user for name, each in volumes.items() for folder in each.folders}
        for name in volumes:
            if self.owner("volume", name) is None:
                self.client.volumes.create(name, labels=dict(labels))
        helper = self.client.containers.create(
            containers[0].image,
            entrypoint=["sh", "-c"],
            command=[" && ".join(f"mkdir -p {path} && chown {user} {path}" for path, user in folders.items())],
            user="0:0",
            network_mode="none",
            volumes={name: {"bind": f"/volumes/{name}", "mode": "rw"} for name in volumes},
        )
        try:
            helper.start()
            if helper.wait()["StatusCode"]:
                raise LakehouseError(f"Folders could not be created in the volumes: {helper.logs().decode()}")
        finally:
            helper.remove(v=True, force=True)  # with its anonymous volumes

    def volumes(self, state: State, owner: str = "") -> list[str]:
        """The names of the stack's volumes: those with the ``owner``'s id, and those of an earlier version."""
        found = {each.name: each for each in self.client.volumes.list(filters={"label": f"{STATE}={state.root}"})}
        if owner:
            found = {name: each for name, each in found.items() if (each.attrs["Labels"] or {}).get(ID, owner) == owner}
            found |= {each.name: each for each in self.client.volumes.list(filters={"label": f"{ID}={owner}"})}
        return sorted(found)

    def publisher(self, port: int) -> str | None:
        """The name of the container that publishes a port of this machine, or None."""
        for each in self.client.containers.list(filters={"publish": str(port)}):
            return str(each.name)
        return None

    def memory(self, names: Iterable[str]) -> dict[str, int]:
        """Bytes that running containers use, without the page cache."""
        return {name: _used(self.client.api.stats(name, stream=False, one_shot=True)) for name in names}


def execute(
    container: str, command: Iterable[str], environment: Mapping[str, str], directory: str, *, split: bool
) -> subprocess.Popen[str]:
    """Start a program in a running container, with piped input and output. ``split``: errors have their own pipe."""
    settings = [word for key, value in environment.items() for word in ("-e", f"{key}={value}")]
    # One stream: Docker transmits two in parallel, and their order is lost.
    merged = [] if split else ["sh", "-c", 'exec "$@" 2>&1', "sh"]
    return subprocess.Popen(
        ["docker", "exec", "-i", "-w", directory, *settings, container, *merged, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if split else subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C reaches only the caller, which ends the program properly
    )


def _seen(attributes: Mapping[str, Any]) -> ContainerSeen:
    state, config, host = attributes["State"], attributes["Config"], attributes["HostConfig"]
    labels = config["Labels"]
    return ContainerSeen(
        name=attributes["Name"].lstrip("/"),
        service=labels.get(SERVICE, ""),
        incarnation=Incarnation.parse(labels.get(INCARNATION, "")),
        status=state["Status"],
        health=(state.get("Health") or {}).get("Status", ""),
        pid=state["Pid"],
        started=datetime.datetime.fromisoformat(state["StartedAt"]).timestamp(),
        memory=host["Memory"],
        restart=host["RestartPolicy"]["Name"],
        networks=tuple(attributes["NetworkSettings"]["Networks"]),
        mounts=tuple(each["Destination"] for each in attributes["Mounts"]),
        test=tuple((config.get("Healthcheck") or {}).get("Test") or ()),
        ports=frozenset(_published(host)) if state["Status"] == "running" else frozenset(),
        image=attributes["Image"],
    )


def _published(host: Mapping[str, Any]) -> Iterator[int]:
    for bindings in (host.get("PortBindings") or {}).values():
        yield from (int(each["HostPort"]) for each in bindings or () if each.get("HostPort"))


def _used(stats: Mapping[str, Any]) -> int:
    memory = stats.get("memory_stats") or {}
    details = memory.get("stats") or {}
    return int(memory.get("usage", 0)) - int(details.get("inactive_file", details.get("total_inactive_file", 0)))
