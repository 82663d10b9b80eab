"""Python programs in environments of their own, in the user's cache folder, because they want other packages.

pip installs what a lock beside this file names, and checks each file's SHA-256.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, uses
from lakehouse.packages.download import disk_error


@dataclass(frozen=True)
class ToolEnvironment:
    """An environment by the name of its lock and folder. ``size`` is what it takes on the disk, for people."""

    name: str
    label: str
    command: str
    size: str

    @property
    def lock(self) -> Path:
        return Path(__file__).with_name(f"{self.name}.txt")

    @property
    def folder(self) -> Path:
        """The folder of all its versions in the cache."""
        return cached.root() / self.name

    @property
    def program(self) -> Path:
        """The command, whether it exists or not."""
        return self.folder / self._pins / "bin" / self.command

    def set_up(self) -> Path:
        """Install it if it is missing. Returns the command.

        Raises LakehouseError if it cannot be installed, or if the folder cannot be written.
        """
        target = self.folder / self._pins
        try:
            if not (target / "installed").is_file():
                self._set_up(target)
            uses.note(target)
        except OSError as error:
            raise disk_error(error, Path(error.filename or target)) from error
        return self.program

    def remove_former(self) -> list[Path]:
        """Remove from the cache what other pins installed and nobody used for 30 days. Returns the folders."""
        return uses.remove_former(self.folder, "[0-9a-f]*", {self._pins})

    @property
    def _pins(self) -> str:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()[:12]

    def _set_up(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two simultaneous installations would write the same files
            if (target / "installed").is_file():
                return
            print(f"installing {self.label}, once: {self.size}", file=sys.stderr, flush=True)
            # Its commands name the folder in which they were installed, so it is made in place, and marked at the end.
            shutil.rmtree(target, ignore_errors=True)
            _run(self.label, sys.executable, "-m", "venv", str(target))
            pip = (str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            _run(self.label, *pip, "--require-hashes", "--no-deps", "--requirement", str(self.lock))
            (target / "installed").touch()


def _run(label: str, *command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise LakehouseError(
            f"{label} cannot be installed: {done.stdout.strip() or command[2]}. Check the network and pip's "
            "configuration, then run this again."
        )


#: https://docs.ansible.com/ansible-core/2.19/
ANSIBLE = ToolEnvironment("ansible", "Ansible", "ansible-playbook", "40 MB")
#: It wants other versions of PyIceberg, pydantic and boto3 than this project.
DATAHUB = ToolEnvironment("datahub", "DataHub's command line", "datahub", "0.4 GB")
ALL = (ANSIBLE, DATAHUB)
