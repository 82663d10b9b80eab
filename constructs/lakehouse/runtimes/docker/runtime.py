"""The Docker runtime for commands."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving, logs, owner
from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.docker import archives, background, checks, observed, supervised
from lakehouse.runtimes.docker.connection import errors_reported
from lakehouse.runtimes.docker.containers import Container, ContainerSeen, as_asked
from lakehouse.runtimes.docker.engine import DockerEngine
from lakehouse.runtimes.docker.engine_containers import execute
from lakehouse.runtimes.docker.incarnation import answers, wanted
from lakehouse.runtimes.docker.steps import await_ready, write
from lakehouse.runtimes.findings import Check, CheckContext, Finding, PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.process.incarnation import SUPERVISOR
from lakehouse.runtimes.process.runtime import Processes
from lakehouse.runtimes.processes import holders
from lakehouse.runtimes.runtime import Process
from lakehouse.runtimes.state import State
from lakehouse.services.service import File, Port, Service


@dataclass(frozen=True)
class Containers:
    """A :class:`lakehouse.runtimes.runtime.Runtime`: containers in Docker, and processes ``outside`` of them."""

    state: State
    containers: tuple[Container, ...]
    engine: DockerEngine = field(default_factory=DockerEngine)
    services: tuple[Service, ...] = ()  # of which they are containers
    outside: tuple[Service, ...] = ()  # the services that have no image

    @property
    def _processes(self) -> Processes:
        """The services outside of containers."""
        return Processes(self.state, self.outside)

    def processes(self) -> Mapping[str, Process]:
        inside = {name: _process(each) for name, each in self.engine.seen(self.state).items()}
        return {**inside, **self._processes.processes()}

    def healthy(self) -> Mapping[str, bool]:
        seen = self.engine.seen(self.state)
        return {
            each.service: each.service in seen and answers(self.engine, each, seen[each.service])
            for each in self.containers
            if not each.is_job
        } | dict(self._processes.healthy())

    def memory(self) -> Mapping[str, int]:
        running = {each.name: name for name, each in self.engine.seen(self.state).items() if each.status == "running"}
        used = self.engine.memory(running) if running else {}
        return {running[name]: memory for name, memory in used.items()} | dict(self._processes.memory())

    def restart(self, service: Service) -> float:
        if service.outside:
            return self._processes.restart(service)
        archives.folder().mkdir(parents=True, exist_ok=True)  # somebody may have removed what containers mount
        name = self._name(service.name)
        self.engine.client.containers.get(name).restart(timeout=service.stop_seconds)
        return await_ready(self.engine, self._asked(service.name))

    def log(self, name: str, lines: int) -> str:
        if name == JOB:
            return logs.tail(self._job_log(), lines)
        if name in (*self._outside, SUPERVISOR):
            return self._processes.log(name, lines)
        if any(each.is_job and each.service == name for each in self.containers):  # its container was removed
            if not (path := self.state.log(name)).is_file():
                raise LakehouseError(f"The job {name} has no log: it has never run. `lakehouse deploy` runs it.")
            return "".join(path.read_text(errors="replace").splitlines(keepends=True)[-lines:])
        return self.engine.log(self._name(name), lines)

    def further_logs(self) -> Sequence[str]:
        return (SUPERVISOR, JOB) if self.outside else (JOB,)

    def follow(self, name: str) -> Iterator[str]:
        if name == JOB:
            yield from logs.follow(self._job_log())
        if name in (*self._outside, SUPERVISOR):
            yield from self._processes.follow(name)
        found = self.engine.client.containers.get(self._name(name))
        for added in found.logs(tail=0, stream=True, follow=True):
            yield added.decode(errors="replace")

    def configure(self, service: str, files: Iterable[File]) -> None:
        if service in self._outside:
            self._processes.configure(service, files)
        else:
            write(self.state, service, files)

    def signal(self, service: str, name: str) -> None:
        if service in self._outside:
            self._processes.signal(service, name)
            return
        with errors_reported():
            self.engine.client.containers.get(self._name(service)).kill(signal=name)

    def run(
        self, service: str, command: Sequence[str], environment: Mapping[str, str], *, split: bool = False
    ) -> subprocess.Popen[str]:
        if service in self._outside:
            return self._processes.run(service, command, environment, split=split)
        return execute(self._name(service), command, environment, self._asked(service).volume.target, split=split)

    def changed(self, planned: Planned) -> Sequence[str]:
        seen = self.engine.seen(self.state)
        asked = [each for each in self.containers if each.service in seen]
        inside = [each.service for each in asked if seen[each.service].incarnation.digest != wanted(each, planned)]
        return [*inside, *self._processes.changed(planned)]

    @property
    def apart(self) -> bool:
        return True

    @property
    def remote(self) -> bool:
        return False

    def edited(self) -> Sequence[str]:
        seen = self.engine.seen(self.state)
        asked = [each for each in self.containers if each.service in seen]
        return [each.service for each in asked if not as_asked(each, seen[each.service])]

    def unreachable(self) -> Sequence[str]:
        return observed.detached(self.engine, self.state, self.containers)

    def resolves(self, host: str) -> bool | None:
        inside = observed.anywhere(self.engine, self.state)
        return None if inside is None else observed.resolves(self.engine, inside, host)

    def starved(self, service: str) -> bool:
        return observed.out_of_memory(self.engine, self.state, service)

    def holders(self, wanted: Mapping[str, Sequence[Port]]) -> Sequence[PortHolder]:
        up = {name for name, each in self.engine.seen(self.state).items() if each.status == "running"}
        # Services that run hold their own ports.
        others = [port for name, ports in wanted.items() if name not in up for port in ports]
        return [observed.explained(self.engine, each) for each in holders(others, self.state)]

    def checks(self, context: CheckContext) -> Iterator[Check]:
        yield from checks.checks(self.engine, self.state, self.containers, (*self.services, *self.outside), context)
        yield Check("archives", self._archives, after=("docker version",))

    def remains(self) -> str:
        # Stopped containers count too, because they use their volumes.
        names = ", ".join(each.name for each in self.engine.seen(self.state).values())
        pids = ", ".join(str(each.pid) for each in supervised.left(self.state))
        return "; ".join(filter(None, (f"containers {names}" if names else "", f"pids {pids}" if pids else "")))

    def folders(self) -> Sequence[Path]:
        try:
            docker = self.engine.folder()
        except LakehouseError:
            return (self.state.root,)
        return (self.state.root, docker) if docker.is_dir() else (self.state.root,)  # Docker may be on another machine

    def closed(self) -> str:
        return ""  # on Docker, nothing watches the disk

    def background(self) -> str:
        return background.doing(self.state)

    def volumes(self) -> Sequence[str]:
        mark = owner.read(self.state.root)
        if mark is not None:
            return self.engine.volumes(self.state, mark.id)
        own = {each.volume.source for each in self.containers}  # the state folder is gone, so names are compared too
        return [name for name in self.engine.volumes(self.state) if name in own]

    def remove_data(self) -> int:
        volumes = self.volumes()
        usage = {each["Name"]: each["UsageData"]["Size"] for each in self.engine.client.df()["Volumes"] or ()}
        for name in volumes:
            self.engine.client.volumes.get(name).remove()
        return sum(max(0, int(usage.get(name, 0))) for name in volumes) + self._processes.remove_data()

    @property
    def _outside(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.outside)

    def images(self) -> Mapping[str, str]:
        """The ids of the containers' images that Docker has, by their references."""
        return self.engine.images({each.image for each in self.containers})

    def _archives(self) -> Finding:
        images = self.images()
        damaged = [*archives.damaged(self.services, images).values()]
        failed = archiving.noted(self.state).failed and bool(archives.missing(self.services, images))
        return archiving.finding(damaged, failed=failed)

    def _job_log(self) -> Path:
        path = self.state.log(JOB)
        if not path.is_file():
            raise LakehouseError(f"The job {JOB} has no log: no deploy has started it.")
        return path

    def _asked(self, service: str) -> Container:
        return next(each for each in self.containers if each.service == service)

    def _name(self, service: str) -> str:
        """The name of the service's container, which need not run.

        Raises LakehouseError if it does not exist, or if Docker does not answer.
        """
        _ = self.engine.client
        seen = self.engine.seen(self.state).get(service)
        if seen is None:
            raise LakehouseError(f"{service} has no container: it was never started. `lakehouse deploy` starts it.")
        return seen.name


def _process(seen: ContainerSeen) -> Process:
    """The container as a process. Its state is RUNNING if it is healthy, before that STARTING or UNHEALTHY."""
    running = seen.status == "running"
    word = seen.health if running and seen.health not in ("", "healthy") else seen.status
    uptime = int(time.time() - seen.started) if running else 0
    return Process(seen.service, word.upper(), seen.pid if running else 0, max(0, uptime), "")
