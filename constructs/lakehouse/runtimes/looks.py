"""Starts the comparison of contents for each local stack that is up (:mod:`lakehouse.runtimes.contents`)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lakehouse.runtimes.contents import NAME, PATIENCE, Look
from lakehouse.runtimes.incarnation import NONE, recorded
from lakehouse.runtimes.locate import locate
from lakehouse.runtimes.processes import is_open
from lakehouse.spec import Lakehouse, LocalStack


def begin(lakehouse: Lakehouse, path: Path) -> dict[str, Look]:
    """Start a comparison for each local stack whose bootstrap has run and whose store and catalogs listen."""
    return {name: _start(name, path) for name in lakehouse.stacks if _is_up(lakehouse, name, path)}


def _is_up(lakehouse: Lakehouse, name: str, path: Path) -> bool:
    if not isinstance(lakehouse.stacks[name], LocalStack):
        return False
    local = locate(lakehouse, name, path)
    needed = {local.endpoints.store.service, *(each.service for each in local.endpoints.catalogs)}
    at = [local.place.external(port.name) for each in local.services if each.name in needed for port in each.ports]
    return recorded(local.state, NAME) != NONE and all(is_open(each.port, each.host) for each in at)


def _start(name: str, path: Path) -> Look:
    command = [sys.executable, "-m", "bootstrap.cli.look", "--file", str(path), "--stack", name]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Look(process, time.monotonic() + PATIENCE)
