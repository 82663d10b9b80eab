"""Checks of `ansible/`: ``python -m tests.ansible_checks``.

ansible-lint with its strictest profile, and its warnings as failures.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.tools.environments import scripts

ROOT = Path(__file__).parents[1]
ANSIBLE = ROOT / "ansible"
_OPT_IN = "empty-string-compare,no-log-password,no-same-owner,only-builtins"  # rules that no profile has
_LINT = ("--offline", "--strict", "--profile", "production", "--enable-list", _OPT_IN, "--nocolor", "-q")


def environment(programs: Path) -> dict[str, str]:
    """What Ansible's programs need: each other on PATH, and their own files in the cache instead of the home folder."""
    own = programs.parent / "home"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ANSIBLE_HOME": str(own), "LC_ALL": "C.UTF-8"}


def lint(folder: Path = ANSIBLE) -> subprocess.CompletedProcess[str]:
    """ansible-lint on every file of a folder with a playbook and roles."""
    return _run(("ansible-lint", *_LINT), folder)


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    programs = scripts("ansible")
    return subprocess.run(
        [str(programs / command[0]), *command[1:]], cwd=folder, env=environment(programs), capture_output=True,
        text=True, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    done = lint()
    print(done.stdout + done.stderr if done.returncode else "ansible-lint: nothing found")
    sys.exit(done.returncode)
