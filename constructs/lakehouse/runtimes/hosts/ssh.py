"""Programs on a host, by the system's ssh. Each host's key is taken at the first connection, and kept."""

from __future__ import annotations

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import UnansweredError
from lakehouse.spec.hosts import Host

PATIENCE = 8  # seconds to connect
_NO_CONNECTION = 255  # ssh(1)


_REFUSED = ("sudo: ", "sudoers", "is not allowed to execute")  # in the last line, if sudo did not run the program
_WARNED = "sudo: unable to resolve host"  # sudo runs the program all the same


class HostError(UnansweredError):
    """A host that does not answer, or a program there that failed."""


def option(name: str, path: Path) -> str:
    """An option of ssh whose value is a path, as ssh_config(5) reads it: with spaces, quotes and % in it."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'{name}="{escaped}"'


@dataclass(frozen=True)
class Ssh:
    """A host, by its name in the file. ``folder`` is that of lakehouse.yaml."""

    name: str
    host: Host
    folder: Path
    known_hosts: Path

    @property
    def key(self) -> Path | None:
        """The file with the private key, if the file names one."""
        return self.folder / self.host.key if self.host.key else None

    def command(self, *words: str) -> list[str]:
        """The command of this machine that runs the words on the host, as root."""
        host = self.host
        sudo = () if host.user == "root" else ("sudo", "-n")
        key = ("-o", option("IdentityFile", self.key)) if self.key else ()
        options = (
            *("-o", "BatchMode=yes", "-o", f"ConnectTimeout={PATIENCE}", "-o", "LogLevel=ERROR"),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", option("UserKnownHostsFile", self.known_hosts)),
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
        if self.key and not self.key.is_file():
            raise HostError(f"Host {self.name}: its key {self.key} is not there. Correct `key`, or bring the file.")
        try:
            done = subprocess.run(
                self.command(*words), input=given.encode() if isinstance(given, str) else given, capture_output=True,
                check=False, timeout=timeout,
            )  # fmt: skip
        except FileNotFoundError:
            raise HostError("There is no ssh on this machine. Install OpenSSH's client.") from None
        except subprocess.TimeoutExpired:
            raise HostError(f"Host {self.name} ({self.host.address}) gave no answer within {timeout:.0f} s.") from None
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            said = [line for line in lines if _WARNED not in line]
            raise HostError(f"Host {self.name}{self._failed(words[0], done.returncode, said)}")
        return done.stdout.decode(errors="replace")

    def _failed(self, program: str, code: int, said: list[str]) -> str:
        """What kept a program from its work, and what to do, from what was said on standard error."""
        last, text = (said[-1].rstrip("."), " ".join(said)) if said else (f"code {code}", "")
        user, host = self.host.user, self.host
        if code == _NO_CONNECTION:
            key = f"-i {shlex.quote(str(self.key))} " if self.key else ""
            fix = f"Try `ssh {key}-p {host.port} {user}@{host.address}`."
            if "bad permissions" in text:
                fix = f"Others may read the key, which ssh refuses then: `chmod 600 {self.key}`."
            elif "Host key verification failed" in text:
                fix = f"It has another key than before. If that was meant, remove its lines from {self.known_hosts}."
            return f" ({user}@{host.address}, port {host.port}) is not reached: {last if said else 'ssh ended'}. {fix}"
        if f"{program}: command not found" in text or f"{program}: not found" in text:
            return f" has no `{program}`. Install it there."
        if any(each in last for each in _REFUSED):
            write = f"rite `{user} ALL=(ALL) NOPASSWD: ALL` into /etc/sudoers.d there, or log in as root."
            fix = f"Install it and w{write}" if "not found" in last else f"W{write}"
            if "must have a tty" in last:
                fix = f"Write `Defaults:{user} !requiretty` into /etc/sudoers.d there, or log in as root."
            return f" gives {user} no rights by sudo: {last}. {fix}"
        return f": `{program}` failed: {last}."

    def python(self, module: Path, asked: Any, timeout: float = 60) -> Any:
        """What the function ``main`` of a module of the standard library's Python returns there.

        ``asked``, its argument, and its result can be written as JSON.
        """
        call = f"\nimport json\nprint(json.dumps(main(json.loads({json.dumps(json.dumps(asked))}))))\n"
        said = self.run("python3", "-", given=module.read_text() + call, timeout=timeout)
        return json.loads(said.strip().rpartition("\n")[2])  # before it, what a shell's start file may print
