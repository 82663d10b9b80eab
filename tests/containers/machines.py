"""Machines for `runtime: hosts`: containers with systemd and an SSH server, on a network of their own.

The first use makes their image, on the base of those of `make images`. If Docker lacks that too, debootstrap makes it,
which needs root and some minutes: for others than root, `sudo .venv/bin/python -m tests.containers.machines` once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lakehouse.packages import cached
from lakehouse.packages.progress import report
from lakehouse.runtimes.docker.engine import DockerEngine
from offline import debian, images

IMAGE, NETWORK, SUBNET = "lakehouse/systemd:bookworm", "lakehouse-test-hosts", "10.66.7.0/24"
THIS, A, B, C, STRANGER = "10.66.7.1", "10.66.7.11", "10.66.7.12", "10.66.7.13", "10.66.7.99"
MACHINES = {"a": A, "b": B, "c": C, "stranger": STRANGER}
HOSTS: dict[str, Any] = {
    "a": {"address": A, "key": "id"},
    "b": {"address": B, "user": "admin", "key": "id"},
}
THREE = {**HOSTS, "c": {"address": C, "user": "admin", "key": "id"}}
_INCLUDED = "systemd systemd-sysv openssh-server python3 sudo iproute2 ca-certificates nftables"
_DOCKERFILE = f"""\
FROM {debian.REFERENCE}
RUN export DEBIAN_FRONTEND=noninteractive && \\
    apt-get update -qq && \\
    apt-get install -y -qq --no-install-recommends {_INCLUDED} && \\
    rm -rf /var/lib/apt/lists/* && \\
    useradd -m -s /bin/bash admin && \\
    echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
CMD ["/lib/systemd/systemd"]
"""
RUN = (
    *("run", "--detach", "--pull=never", "--stop-signal", "SIGRTMIN+3"),
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"),
    *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--cgroupns=private", "--tmpfs", "/run", "--tmpfs", "/run/lock"),
)  # fmt: skip
# With cgroup v2, which most machines have, Docker mounts it read-only, and systemd ends at once.
INIT = "! test -e /sys/fs/cgroup/cgroup.controllers || mount -o remount,rw /sys/fs/cgroup; exec /lib/systemd/systemd"
SYSTEM = (IMAGE, "sh", "-c", INIT)
# The shell command that shows what a stack has left on a machine, besides its data.
LEFT = (
    "ls -d /etc/systemd/system/*lakehouse* /etc/systemd/system/*/lakehouse* /etc/lakehouse /opt/lakehouse "
    "/root/.ansible /root/.lakehouse* /home/admin/.ansible /home/admin/.lakehouse* /tmp/*ansible* 2>/dev/null; "
    "nft list tables | grep lakehouse; getent passwd | grep ^lh-; getent group | grep ^lh-; "
    "systemctl list-units --all --plain --no-legend 'lakehouse*'; pgrep -a java; true"
)


def docker(*words: str, given: str | None = None) -> str:
    done = subprocess.run(["docker", *words], input=given, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def inside(host: str, command: str) -> str:
    return docker("exec", f"{NETWORK}-{host}", "sh", "-c", command)


def reaches(host: str, address: str, port: int) -> bool:
    code = f"import socket; socket.create_connection(('{address}', {port}), 3)"
    return inside(host, f'python3 -c "{code}" 2>/dev/null && echo yes || echo no').strip() == "yes"


def lacking() -> str:
    """What keeps this machine from having them; empty if nothing does."""
    if shutil.which("ssh-keygen") is None:
        return "OpenSSH's client is missing (`apt-get install openssh-client`)"
    if any(docker("images", "--quiet", each).strip() for each in (IMAGE, debian.REFERENCE)):
        return ""
    if os.geteuid() != 0:
        return f"the image {IMAGE} is missing: `sudo .venv/bin/python -m tests.containers.machines` makes it once"
    return "" if shutil.which("debootstrap") else "debootstrap is missing (`apt-get install debootstrap`)"


@contextmanager
def _one_at_a_time(what: str) -> Iterator[None]:
    """Wait until no other run on this machine does it."""
    folder = cached.root() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{what}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def image() -> None:
    """Make the image of a machine, unless Docker has it."""
    with _one_at_a_time("systemd"):
        if not docker("images", "--quiet", IMAGE).strip():
            with report(quiet=True) as tell:
                images.base(DockerEngine(), tell)
            docker("build", "--network", "host", "--tag", IMAGE, "-", given=_DOCKERFILE)  # as `make images` does


@contextmanager
def network(name: str, subnet: str, members: Iterable[str]) -> Iterator[None]:
    """A network with fixed addresses, and at its end nothing of it and of its members, NAME-MEMBER each.

    What a run that was killed has left goes first.
    """

    def remove() -> None:
        for member in members:
            subprocess.run(["docker", "rm", "-f", "-v", f"{name}-{member}"], capture_output=True, check=False)
        subprocess.run(["docker", "network", "rm", name], capture_output=True, check=False)

    with _one_at_a_time(name):
        remove()
        docker("network", "create", "--subnet", subnet, name)
        try:
            yield
        finally:
            remove()


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """The machines, and the file with the key by which root logs in on one, and a user with sudo on the others."""
    key = folder / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    image()
    with network(NETWORK, SUBNET, MACHINES):
        for name, address in MACHINES.items():
            called = f"{NETWORK}-{name}"
            docker(*RUN, "--name", called, "--hostname", name, "--network", NETWORK, "--ip", address, *SYSTEM)
            for home, user in (("/root", "root"), ("/home/admin", "admin")):
                folders = f"{home}/.ssh"
                script = f"install -d -m 700 -o {user} {folders}"
                script += f"; install -m 600 -o {user} /dev/stdin {folders}/authorized_keys"
                docker("exec", "-i", called, "sh", "-c", script, given=key.with_suffix(".pub").read_text())
        yield key


if __name__ == "__main__":
    image()
