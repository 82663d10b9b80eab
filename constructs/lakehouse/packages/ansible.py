"""Ansible, in an environment of its own in the user's cache folder: pip installs what ansible.txt locks.

https://docs.ansible.com/ansible-core/2.19/
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, uses
from lakehouse.packages.download import disk_error

_LOCK = Path(__file__).with_suffix(".txt")


def playbook() -> Path:
    """The command ``ansible-playbook``, whether it exists or not."""
    return _cache() / _pins() / "bin" / "ansible-playbook"


def sockets() -> Path:
    """A short path for the sockets of connections that are used again."""
    return _cache() / "cp"


def set_up() -> Path:
    """Install it if it is missing. Returns the command.

    Raises LakehouseError if it cannot be installed, or if the folder cannot be written.
    """
    target = playbook().parents[1]
    try:
        if not (target / "installed").is_file():
            _set_up(target)
        uses.note(target)
    except OSError as error:
        raise disk_error(error, Path(error.filename or target)) from error
    return playbook()


def remove_former() -> list[Path]:
    """Remove from the cache what other pins installed and nobody used for 30 days. Returns the folders."""
    return uses.remove_former(_cache(), "[0-9a-f]*", {_pins()})


def _set_up(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two simultaneous installations would write the same files
        if (target / "installed").is_file():
            return
        print("installing Ansible, once: 40 MB", file=sys.stderr, flush=True)
        # Its commands name the folder in which they were installed, so it is made in place, and marked at the end.
        shutil.rmtree(target, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(target))
        pip = (str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--require-hashes", "--no-deps", "--requirement", str(_LOCK))
        (target / "installed").touch()


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LakehouseError(
            f"Ansible cannot be installed: {done.stdout.strip() or command[2]}. Check the network and pip's "
            "configuration, then run this again."
        )


def _cache() -> Path:
    return cached.root() / "ansible"


def _pins() -> str:
    return hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
