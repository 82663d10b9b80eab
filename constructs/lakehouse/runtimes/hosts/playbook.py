"""Runs the playbook of `ansible/`, for some hosts and services."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages.environment import ANSIBLE
from lakehouse.runtimes.hosts.remembered import folder
from lakehouse.runtimes.hosts.variables import GROUP
from lakehouse.runtimes.state import State, write_private

_SHOWN = 25  # lines of the output of a playbook that failed


def known_hosts(state: State) -> Path:
    return folder(state) / "known_hosts"


def inventory_folder(state: State) -> Path:
    """The inventory of the stack: the hosts, the variables of their group, and those of each host. No secrets."""
    return folder(state) / "inventory"


def write(state: State, inventory: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
    """Write the inventory and the variables of its group, which have no secrets, into the state folder."""
    own = inventory_folder(state)
    write_private(own / "hosts.json", json.dumps(inventory, indent=1))
    write_private(own / "group_vars" / f"{GROUP}.json", json.dumps(variables, indent=1))


def host_variables(state: State, host: str) -> Path:
    """The file with the variables of one host."""
    return inventory_folder(state) / "host_vars" / f"{host}.json"


@contextmanager
def working(state: State) -> Iterator[int]:
    """What is done meanwhile is waited for by :func:`settle`. The file descriptor is for programs, which go on alone.

    After Ctrl-C, Terraform ends without the programs that a step has started.
    """
    with _lock(state).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield lock.fileno()


def settle(state: State) -> None:
    """Wait until nothing goes on that a deploy which was interrupted began on the hosts."""
    with _lock(state).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("What an interrupted deploy began on the hosts goes on: this waits for its end.", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)


def _lock(state: State) -> Path:
    own = folder(state)
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    return own / "working.lock"


def run(state: State, hosts: Sequence[str], tags: Sequence[str], extra: Mapping[str, Any]) -> None:
    """Run the playbook's parts with these tags on these hosts.

    Raises LakehouseError with the end of its output if it fails.
    """
    own = folder(state)
    command = [
        *(str(ANSIBLE.program), "--inventory", str(inventory_folder(state)), "--limit", ",".join(hosts)),
        *("--tags", ",".join(tags), "--extra-vars", json.dumps(extra)),
        str(toolkit.root() / "ansible" / "site.yml"),
    ]
    passed = {key: os.environ[key] for key in ("HOME", "PATH", "TMPDIR", "SSH_AUTH_SOCK", "USER") if key in os.environ}
    environment = passed | {
        "ANSIBLE_CONFIG": str(toolkit.root() / "ansible" / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(own / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(ANSIBLE.folder / "cp"),
        "LC_ALL": "C.UTF-8",
    }
    with working(state) as descriptor:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, pass_fds=(descriptor,),
        )  # fmt: skip
    if done.returncode:
        end = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-_SHOWN:])
        raise LakehouseError(
            f"Ansible did not set up {', '.join(hosts)} ({', '.join(tags)}). The end of its output:\n{end}"
        )
    print(done.stdout.strip().rpartition("\n")[2], file=sys.stderr)
