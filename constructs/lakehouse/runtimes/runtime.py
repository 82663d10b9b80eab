"""The interface of a running local stack, for every runtime."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lakehouse.runtimes.findings import Check, CheckContext, PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.services.service import File, Port, Service

UNWATCHED = "UNWATCHED"  # the state of a service that still runs, but that nothing stops, starts or restarts


@dataclass(frozen=True)
class Process:
    """A service that was started. ``state`` is the runtime's word: RUNNING, STARTING, EXITED, FATAL, UNHEALTHY ..."""

    name: str
    state: str
    pid: int  # 0 if it does not run
    uptime: int  # seconds
    note: str

    @property
    def up(self) -> bool:
        """Whether the process runs. supervisord reports STARTING for the first second, even if it is ready."""
        return self.state in ("STARTING", "RUNNING")


class Runtime(Protocol):
    """The runtime of one stack. If the stack is down, methods return empty values instead of raising errors."""

    def processes(self) -> Mapping[str, Process]:
        """The processes that were started, by service."""

    def healthy(self) -> Mapping[str, bool]:
        """Whether each service runs and is ready."""

    def memory(self) -> Mapping[str, int]:
        """Bytes of resident memory by service, including processes that it started itself (a worker's executors)."""

    def restart(self, service: Service) -> float:
        """Stop and start a service with its present definition. Returns the seconds until it was ready.

        Raises LakehouseError if it is down or does not get ready.
        """

    def log(self, name: str, lines: int) -> str:
        """The last lines of a service's log. Raises LakehouseError if it was never started."""

    def further_logs(self) -> Sequence[str]:
        """The names of further logs, of what is no service."""

    def follow(self, name: str) -> Iterator[str]:
        """The lines that are added to the log from now on. It does not end."""

    def configure(self, service: str, files: Iterable[File]) -> None:
        """Write further files into a service's configuration folder, with secrets filled in."""

    def signal(self, service: str, name: str) -> None:
        """Send a signal, such as ``HUP``, to a service. Raises LakehouseError if it does not run."""

    def run(
        self, service: str, command: Sequence[str], environment: Mapping[str, str], *, split: bool = False
    ) -> subprocess.Popen[str]:
        """Start a program where the service runs, with piped input and output.

        Errors are part of the output, or with ``split`` in a pipe of their own.
        """

    def changed(self, planned: Planned) -> Sequence[str]:
        """The services that run with another definition, or with other credentials, than a deploy plans."""

    @property
    def apart(self) -> bool:
        """Whether its services have their own network and host names, so that this machine is another host to them."""

    @property
    def remote(self) -> bool:
        """Whether its services are on other machines, with their memory and their data."""

    def edited(self) -> Sequence[str]:
        """The services that were changed by hand since they were started."""

    def unreachable(self) -> Sequence[str]:
        """The services that run but that other services cannot reach."""

    def resolves(self, host: str) -> bool | None:
        """Whether a host name resolves where the services run; None if nothing runs there."""

    def starved(self, service: str) -> bool:
        """Whether a service was ended for lack of memory."""

    def holders(self, wanted: Mapping[str, Sequence[Port]]) -> Sequence[PortHolder]:
        """The other programs that listen on the ports ``wanted``, given by service as outside of containers."""

    def checks(self, context: CheckContext) -> Iterator[Check]:
        """The checks of this runtime, causes before consequences. They change nothing."""

    def remains(self) -> str:
        """The running parts of the stack, as text; empty if nothing runs."""

    def folders(self) -> Sequence[Path]:
        """The folders on this machine whose disks hold its data, as far as they are known."""

    def closed(self) -> str:
        """Why the store accepts no writes now, as text; empty if it accepts them."""

    def background(self) -> str:
        """What a job in the background does, as text; empty if there is none."""

    def volumes(self) -> Sequence[str]:
        """The names of the volumes with its data outside the state folder."""

    def remove_data(self) -> int:
        """Remove the data outside the state folder. Returns the number of bytes that were freed, 0 if unknown."""
