"""Programs on a host, by the system's ssh. Each host's key is taken at the first connection, and kept."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.spec.hosts import Host

PATIENCE = 8  # seconds to connect
_NO_CONNECTION = 255  # ssh(1)


class HostError(LakehouseError):
    """A host that does not answer, or a program there that failed."""


@dataclass(frozen=True)
class Ssh:
    """A host, by its name in the file. ``folder`` is that of lakehouse.yaml."""

    name: str
    host: Host
    folder: Path
    known_hosts: Path

    def command(self, *words: str) -> list[str]:
        """The command of this machine that runs the words on the host, as root."""
        host = self.host
        sudo = () if host.user == "root" else ("sudo", "-n")
        key = ("-i", str(self.folder / host.key)) if host.key else ()
        options = (
            *("-o", "BatchMode=yes", "-o", f"ConnectTimeout={PATIENCE}", "-o", "LogLevel=ERROR"),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", f'UserKnownHostsFile="{self.known_hosts}"'),
            *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2"),
        )
        return [
            "ssh",
            *options,
            *key,
            "-p",
            str(host.port),
            f"{host.user}@{host.address}",
            "--",
            shlex.join((*sudo, *words)),
        ]

    def run(self, *words: str, given: str | bytes = "", timeout: float = 60) -> str:
        """What a program of the host prints. ``given`` is its input.

        Raises HostError if the host does not answer, or if the program fails.
        """
        self.known_hosts.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                self.command(*words), input=given.encode() if isinstance(given, str) else given, capture_output=True,
                check=False, timeout=timeout,
            )  # fmt: skip
        except FileNotFoundError:
            raise HostError("There is no ssh on this machine. Install OpenSSH's client.") from None
        except subprocess.TimeoutExpired:
            raise HostError(f"Host {self.name} ({self.host.address}) gave no answer within {timeout:.0f} s.") from None
        said = done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode == _NO_CONNECTION:
            raise HostError(
                f"Host {self.name} ({self.host.user}@{self.host.address}, port {self.host.port}) is not reached: "
                f"{said[-1] if said else 'ssh ended'}. Try `ssh -p {self.host.port} "
                f"{self.host.user}@{self.host.address}`; where its key was replaced, remove its lines from "
                f"{self.known_hosts}."
            )
        if done.returncode:
            raise HostError(
                f"Host {self.name}: `{words[0]}` failed: {said[-1] if said else f'code {done.returncode}'}."
            )
        return done.stdout.decode(errors="replace")

    def python(self, module: Path, asked: Any, timeout: float = 60) -> Any:
        """What the function ``main`` of a module of the standard library's Python returns there.

        ``asked``, its argument, and its result can be written as JSON.
        """
        call = f"\nimport json\nprint(json.dumps(main(json.loads({json.dumps(json.dumps(asked))}))))\n"
        return json.loads(self.run("python3", "-", given=module.read_text() + call, timeout=timeout))
