"""The process runtime for commands. It reads supervisord, the operating system and the state folder."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from lakehouse.errors import LakehouseError
from lakehouse.runtimes import archiving, logs
from lakehouse.runtimes.archiving import JOB
from lakehouse.runtimes.findings import Check, CheckContext, Finding, PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.runtimes.incarnation import recorded
from lakehouse.runtimes.probe import await_ready
from lakehouse.runtimes.process import (
    archives,
    background,
    findings,
    incarnation,
    namespaces,
    surroundings,
    watch,
)
from lakehouse.runtimes.process.supervisor import LOCALE, Supervisor
from lakehouse.runtimes.processes import belonging, holders
from lakehouse.runtimes.runtime import UNWATCHED, Process
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import File, Port, Service
from lakehouse.text.placeholders import written


@dataclass(frozen=True)
class Processes:
    """A :class:`lakehouse.runtimes.runtime.Runtime`: processes on this machine under a supervisor."""

    state: State
    services: tuple[Service, ...]

    def processes(self) -> Mapping[str, Process]:
        if not self.services:  # as of a stack whose services are all in containers
            return Supervisor(self.state).processes()
        return Supervisor(self.state).processes() or self._left()

    def _left(self) -> Mapping[str, Process]:
        """The services that still run although their supervisor was killed."""
        found = set()
        for process in belonging(self.state):
            with suppress(psutil.Error):  # it has ended
                found.add(process.environ().get("LAKEHOUSE_SERVICE", ""))
        return {
            each.name: Process(each.name, UNWATCHED, 0, 0, "its supervisor was killed")
            for each in self.services
            if each.name in found
        }

    def healthy(self) -> Mapping[str, bool]:
        return incarnation.healthy(self.services, self.state)

    def memory(self) -> Mapping[str, int]:
        total: defaultdict[str, int] = defaultdict(int)
        for process in belonging(self.state):
            try:
                total[process.environ().get("LAKEHOUSE_SERVICE", "supervisord")] += process.memory_info().rss
            except psutil.Error:
                continue  # it has ended
        return dict(total)

    def restart(self, service: Service) -> float:
        supervisor = Supervisor(self.state)
        supervisor.restart(service.name)
        asked = surroundings.asked(service, self.state)
        return await_ready(service, self.state, lambda: supervisor.processes().get(service.name), asked)

    def log(self, name: str, lines: int) -> str:
        return logs.tail(self._log(name), lines)

    def further_logs(self) -> Sequence[str]:
        return (incarnation.SUPERVISOR, JOB)

    def follow(self, name: str) -> Iterator[str]:
        return logs.follow(self._log(name))

    def configure(self, service: str, files: Iterable[File]) -> None:
        for file in files:
            write_private(self.state.config(service) / file.path, written(file.text, self.state.secret))

    def signal(self, service: str, name: str) -> None:
        Supervisor(self.state).signal(service, name)

    def run(
        self, service: str, command: Sequence[str], environment: Mapping[str, str], *, split: bool = False
    ) -> subprocess.Popen[str]:
        folder = self.state.data(service)
        for each in (folder, self.state.temporary(service)):
            each.mkdir(parents=True, exist_ok=True)
        there = next(each for each in self.services if each.name == service)
        return subprocess.Popen(
            command,
            cwd=folder,
            env={
                **surroundings.environment(there, self.state),
                **environment,
                **{name: os.environ[name] for name in (*LOCALE, "PATH") if name in os.environ},
                "HOME": str(folder),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if split else subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C reaches only the caller, which ends the program properly
        )

    def changed(self, planned: Planned) -> Sequence[str]:
        there = self.processes()
        started = [each for each in self.services if each.name in there]
        return [each.name for each in started if self._last(each) != incarnation.wanted(each, planned)]

    @property
    def apart(self) -> bool:
        return False

    @property
    def remote(self) -> bool:
        return False

    def edited(self) -> Sequence[str]:
        return ()

    def unreachable(self) -> Sequence[str]:
        return ()

    def resolves(self, host: str) -> bool | None:
        return None

    def starved(self, service: str) -> bool:
        return False  # the system does not report it

    def holders(self, wanted: Mapping[str, Sequence[Port]]) -> Sequence[PortHolder]:
        return holders((port for ports in wanted.values() for port in ports), self.state)

    def checks(self, context: CheckContext) -> Iterator[Check]:
        yield Check("archives", lambda: self._archives())
        if any(each.unprivileged for each in self.services):
            yield Check("user namespace", lambda: findings.namespaces(namespaces.refusal(self.services)))

    def remains(self) -> str:
        pids = ", ".join(str(process.pid) for process in belonging(self.state))
        return f"pids {pids}" if pids else ""

    def folders(self) -> Sequence[Path]:
        own = (Path(each) for service in self.services for each in service.data)
        return (self.state.root, self.state.root / "data", *own)  # each may be a mounted disk

    def closed(self) -> str:
        return watch.closed(self.state) if self.processes() else ""

    def background(self) -> str:
        return background.doing(self.state)

    def volumes(self) -> Sequence[str]:
        return ()

    def remove_data(self) -> int:
        self.state.socket.unlink(missing_ok=True)
        return 0  # all data is in the state folder

    def _archives(self) -> Finding:
        damaged = [*archives.damaged(self.services).values()]
        failed = archiving.noted(self.state).failed and bool(archives.missing(self.services))
        return archiving.finding(damaged, failed=failed)

    def _last(self, service: Service) -> str:
        """The digest with which a service was started."""
        return recorded(self.state, service.name).digest

    def _log(self, name: str) -> Path:
        path = self.state.run / "supervisord.log" if name == incarnation.SUPERVISOR else self.state.log(name)
        if not path.exists():
            raise LakehouseError(f"{name} has no log ({path}): it was never started. `lakehouse deploy` starts it.")
        return path
