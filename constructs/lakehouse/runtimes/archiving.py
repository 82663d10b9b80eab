"""The job in the background that makes missing class archives: whether it is wanted, what it does, what doctor says.

It is no service: no file names it, no plan contains it, and it may be killed at any time. What it does is in
``lakehouse.runtimes.preparing``; each runtime starts and ends it in its own way.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lakehouse
from lakehouse.packages import cached
from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.runtimes.owner import Owner
from lakehouse.runtimes.state import State, write_private

JOB = "class-archives"
SWITCH = "LAKEHOUSE_ARCHIVES"  # "no" turns the job off, "yes" turns it on in spite of CI

_MODULE = "lakehouse.runtimes.preparing"
# By which the job finds the packages, the Java and the Docker of the deploy.
_PASSED = ("XDG_CACHE_HOME", "JAVA_HOME", "DOCKER_HOST", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_CONFIG")
_CHANGED = (
    "something changed files in the cache after they were fetched, or the disk is failing",
    "`lakehouse setup --verify`",
)


@dataclass(frozen=True)
class JobNote:
    """What the job does. ``text`` is empty if it has nothing left to do."""

    text: str = ""
    attempts: int = 0  # how often it began since the last deploy asked for it
    failed: bool = False  # it gave up
    folder: str = ""  # where it has its own lakehouse, for which it starts further processes or containers


def folder() -> Path:
    """The folder of the archives."""
    return cached.root() / "archives"


def wanted() -> bool:
    """Whether a deploy starts the job. A pipeline, in which the variable CI is set, has no use for it."""
    return (os.environ.get(SWITCH) or ("no" if os.environ.get("CI") else "yes")) != "no"


def command(state: State, owner: Owner, runtime: str) -> tuple[str, ...]:
    """The job's command."""
    return (sys.executable, "-m", _MODULE, str(state.root), owner.file, owner.stack, runtime)


def environment(state: State) -> dict[str, str]:
    """The job's own variables."""
    sources = Path(lakehouse.__file__).parents
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return passed | {
        "PYTHONPATH": os.pathsep.join(map(str, sources[1:3])),
        "LAKEHOUSE_STATE": str(state.root),
        "LAKEHOUSE_SERVICE": JOB,
    }


def note(state: State, progress: JobNote) -> None:
    """Record what the job does."""
    write_private(_note(state), json.dumps(asdict(progress)))


def noted(state: State) -> JobNote:
    """What the job recorded last."""
    try:
        return JobNote(**json.loads(_note(state).read_text()))
    except (OSError, ValueError, TypeError):
        return JobNote()


def said(progress: JobNote) -> str:
    """What the job does, for ``lakehouse status``."""
    return f"class archives, for faster starts: {progress.text}"


def finding(damaged: Sequence[str], *, failed: bool = False) -> Finding:
    """The finding about the class archives of the stack's services. ``damaged`` has a text for each damaged one.

    ``failed``: the job that makes the missing ones gave up.
    """
    if damaged:
        return error("; ".join(damaged), *_CHANGED)
    if failed:
        return warning(
            "class archives could not be made, so services start more slowly",
            f"`lakehouse logs {JOB}` says why",
            f"remove the cause: the next deploy that starts a service tries again. {SWITCH}=no turns it off",
        )
    return ok("unchanged since they were made")


def _note(state: State) -> Path:
    return state.run / f"{JOB}.json"
