"""``python -m lakehouse.packages.terraform COMMAND``: the Terraform that a command of cdktf uses, for ``bin/cdktf``.

A ``terraform`` on PATH comes first, because cdktf and the state of existing stacks know it; then a ``tofu``; then the
OpenTofu that ``make setup`` builds where neither is there. Whoever sets cdktf's own variable has decided already.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lakehouse import toolkit
from lakehouse.errors import LakehouseError
from lakehouse.packages import cached, uses

VARIABLE = "TERRAFORM_BINARY_NAME"  # cdktf's
PACKAGE = "tofu-1.12.6"  # in the catalogue
INSTALL = "install Terraform (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)"
MISSING = (
    "no terraform and no tofu is on PATH, and OpenTofu is not built. "
    f"`{toolkit.command('setup')}` builds it, once; or {INSTALL}."
)

_PATIENCE = 20  # seconds
_WITHOUT = {"", "completion", "debug", "help", "init", "list", "ls", "synth", "--help", "--version"}  # need none


def installed(environment: Mapping[str, str]) -> str | None:
    """What the user has chosen or installed: a name on PATH, or the value of cdktf's variable, right or wrong."""
    chosen = environment.get(VARIABLE)
    names = ("terraform", "tofu")
    return chosen or next((name for name in names if shutil.which(name, path=environment.get("PATH"))), None)


def find(environment: Mapping[str, str]) -> str | None:
    """The program that cdktf calls: a name on PATH, or the path of the OpenTofu in the cache. None if there is none."""
    if (chosen := installed(environment)) or not cached.is_present(PACKAGE):
        return chosen
    uses.note(cached.location(PACKAGE).parent)
    return str(cached.location(PACKAGE))


def remove_former() -> list[Path]:
    """Remove OpenTofu's builds of other pins that nobody used for 30 days. Returns their folders."""
    build = cached.location(PACKAGE).parent
    return uses.remove_former(build.parent, f"{cached.location(PACKAGE).name}-*", {build.name})


def version(program: str) -> str | None:
    """Product and version, such as ``OpenTofu 1.12.6``; empty if it does not answer, None if there is no program."""
    if shutil.which(program) is None:
        return None
    quiet = os.environ | {"CHECKPOINT_DISABLE": "1"}  # otherwise Terraform checks for newer versions of itself
    try:
        done = subprocess.run(
            [program, "version"], capture_output=True, text=True, timeout=_PATIENCE, check=False, env=quiet
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    said = re.search(r"^(Terraform|OpenTofu) v(\S+)", done.stdout, re.MULTILINE)
    return f"{said[1]} {said[2]}" if said and done.returncode == 0 else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the program, or why there is none. Returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        program = find(os.environ)
    except LakehouseError as error:  # no home folder, so no cache
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if program is None and (words[0] if words else "") not in _WITHOUT:
        print(f"error: {MISSING}", file=sys.stderr)
        return 1
    print(program or "terraform")
    return 0


if __name__ == "__main__":
    sys.exit(main())
