"""The containers of Docker: seen, made, run and removed."""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.runtimes.docker.connection import DockerConnection
from lakehouse.runtimes.docker.containers import (
    GATEWAY,
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

_LOWEST = 2  # of Docker's CPU shares, of which a container has 1024 unless it says otherwise


class DockerContainers(DockerConnection):
    """The containers of a connection."""

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

    def ends_well(self, container: str, command: Sequence[str]) -> bool:
        """Whether a command in a running container ends with 0; False if the container does not run."""
        from docker.errors import APIError

        try:
            return bool(self.client.containers.get(container).exec_run(list(command)).exit_code == 0)
        except APIError:
            return False

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
