"""Starts the comparison of contents for each local stack that may be up (:mod:`lakehouse.runtimes.contents`)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lakehouse.runtimes.contents import PATIENCE, Look
from lakehouse.runtimes.state import apart

_NOTHING = '"resources": []'  # in Terraform's state of a stack that was destroyed


def begin(path: Path) -> dict[str, Look]:
    """Start a comparison for each stack of the file that Terraform has deployed from here, and not destroyed.

    It takes as long as everything else that a synth does, so it begins before the file is read, and finds out by itself
    whether the stack is up.
    """
    return {stack: _start(stack, path) for stack in sorted(_deployed(path))}


def _deployed(path: Path) -> Iterator[str]:
    """The stacks of the file of which Terraform's state, beside the file, has resources."""
    first, last = ".".join(("terraform", *apart(path), "")), ".tfstate"
    try:
        beside = list(path.parent.iterdir())
    except OSError:
        return  # whoever reads the file reports that its folder is missing
    for each in beside:
        stack = each.name.removeprefix(first).removesuffix(last)
        if each.name == f"{first}{stack}{last}" and "." not in stack:
            with suppress(OSError, UnicodeDecodeError):
                if (text := each.read_text()) and _NOTHING not in text:
                    yield stack


def _start(name: str, path: Path) -> Look:
    command = [sys.executable, "-m", "bootstrap.cli.look", "--file", str(path), "--stack", name]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Look(process, time.monotonic() + PATIENCE)
