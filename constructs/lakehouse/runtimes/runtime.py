"""What a person may ask of a local stack that runs, whichever runtime carries it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lakehouse.runtimes.findings import Check, CheckContext, PortHolder
from lakehouse.runtimes.generations import Planned
from lakehouse.services.service import File, Port, Service


@dataclass(frozen=True)
class Process:
    """A service that was started. ``state`` is the runtime's word: RUNNING, STARTING, EXITED, FATAL, UNHEALTHY ..."""

    name: str
    state: str
    pid: int  # 0 where it does not run
    uptime: int  # seconds
    note: str

    @property
    def up(self) -> bool:
        """supervisord says STARTING for the first second, however ready the process is."""
        return self.state in ("STARTING", "RUNNING")


class Runtime(Protocol):
    """The runtime of one stack. What is down answers with nothing, not with an error."""

    def processes(self) -> Mapping[str, Process]:
        """All that was started, by service."""

    def healthy(self) -> Mapping[str, bool]:
        """Whether each service runs and answers as a ready one."""

    def memory(self) -> Mapping[str, int]:
        """Bytes of resident memory by service, with what a service started itself (a worker's executors)."""

    def restart(self, service: Service) -> float:
        """Stops and starts a service as it is; returns the seconds until it was ready.

        Raises LakehouseError if it is down or does not get ready.
        """

    def log(self, name: str, lines: int) -> str:
        """The end of a service's log. Raises LakehouseError if it was never started."""

    def follow(self, name: str) -> Iterator[str]:
        """What is added to the log from now on, without end."""

    def configure(self, service: str, files: Iterable[File]) -> None:
        """Writes further files into a service's configuration folder, secrets filled in."""

    def run(self, service: str, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Starts a further program where the service runs, its input and output piped, its errors among its output."""

    def changed(self, planned: Planned) -> Sequence[str]:
        """The services that were started from another definition, or with other credentials, than a deploy plans."""

    @property
    def apart(self) -> bool:
        """Whether its services have a network and names of their own, so that this machine is another one to them."""

    def edited(self) -> Sequence[str]:
        """The services that somebody changed by hand since they were started."""

    def unreachable(self) -> Sequence[str]:
        """The services that run, and that the others cannot reach."""

    def resolves(self, host: str) -> bool | None:
        """Whether a name resolves where the services are; None if nothing runs there that could be asked."""

    def starved(self, service: str) -> bool:
        """Whether a service was ended for lack of memory."""

    def holders(self, wanted: Mapping[str, Sequence[Port]]) -> Sequence[PortHolder]:
        """Who else listens on the ports ``wanted``, which are those of each service as seen from outside."""

    def checks(self, context: CheckContext) -> Iterator[Check]:
        """What must be right for this runtime, causes before consequences. They change nothing."""

    def remains(self) -> str:
        """What of the stack is there to be stopped, in words; empty where nothing is."""

    def folders(self) -> Sequence[Path]:
        """The folders of this machine on whose disks its data lies; those that cannot be found out are left out."""

    def closed(self) -> str:
        """Why the store takes no writes now, in words; empty where it does."""

    def volumes(self) -> Sequence[str]:
        """The names of what holds its data outside the state folder."""

    def remove_data(self) -> int:
        """Removes the data that lies outside the state folder; returns the bytes that were freed, if they are known."""
