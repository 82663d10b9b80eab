"""What is to be said of the process runtime. Only decisions."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.runtimes.findings import Finding, error, ok
from lakehouse.runtimes.process.namespaces import FIX

_CHANGED = (
    "something changed files in the cache after they were fetched, or the disk is failing",
    "`python -m bootstrap.cli.packages fetch --verify`",
)


def archives(damaged: Sequence[str]) -> Finding:
    """Class archives of the stack's services: what is wrong with the existing ones."""
    if damaged:
        return error("; ".join(damaged), *_CHANGED)
    return ok("unchanged since they were made")


def namespaces(refusal: str) -> Finding:
    """Whether services that do not run as root can be started by this user."""
    if refusal:
        cause = "the system's settings, or the container that this runs in, forbid root to make one"
        return error(refusal, cause, FIX)
    return ok("services that do not run as root can be started")
