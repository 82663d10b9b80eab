"""The home of a Polaris server for tests: the real one that POLARIS_HOME names, or else that of the double."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from lakehouse import packages

PROJECT = Path(__file__).parents[2]
_JARS = ("iceberg-rest-1.10.1", "beanshell-2.0b6", "postgresql-jdbc-42.7.14")


def home(folder: Path) -> Path:
    """A home; the double's is made in ``folder``."""
    if real := os.environ.get("POLARIS_HOME"):
        return Path(real)
    packages.set_up(_JARS, [], progress=False)
    return written(folder)


def written(folder: Path) -> Path:
    """The double's home, which starts once its jars are there."""
    made = folder / "polaris"
    start = made / "bin" / "server"
    start.parent.mkdir(parents=True, exist_ok=True)
    jars = [str(packages.location(each)) for each in _JARS]
    command = shlex.join([sys.executable, "-m", "tests.polaris.server", *jars])
    start.write_text(f"#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(PROJECT))}\nexec {command}\n")
    start.chmod(0o755)
    return made


def is_real() -> bool:
    """Whether the tests run against a real server."""
    return bool(os.environ.get("POLARIS_HOME"))
