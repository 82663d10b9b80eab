"""Runs the playbook of `ansible/`, for some hosts and services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        end = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-_SHOWN:])
        raise LakehouseError(
            f"Ansible did not set up {', '.join(hosts)} ({', '.join(tags)}). The end of its output:\n{end}"
        )
    print(done.stdout.strip().rpartition("\n")[2], file=sys.stderr)
