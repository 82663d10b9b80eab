"""Findings about the process runtime. It only decides, and reads nothing."""

from __future__ import annotations

from collections.abc import Sequence

from lakehouse.runtimes.findings import Finding, error, ok, warning
from lakehouse.runtimes.process.namespaces import FIX
from lakehouse.runtimes.process.supervisor import JOB

_CHANGED = (
    "something changed files in the cache after they were fetched, or the disk is failing",
    "`lakehouse setup --verify`",
)


def archives(damaged: Sequence[str], *, failed: bool = False) -> Finding:
    """The finding about the class archives of the stack's services. ``damaged`` has a text for each damaged one.

    ``failed``: the job that makes the missing ones gave up.
    """
    if damaged:
        return error("; ".join(damaged), *_CHANGED)
    if failed:
        return warning(
            "class archives could not be made, so services start more slowly",
            f"`lakehouse logs {JOB}` says why",
            "remove the cause: the next deploy that starts a service tries again. LAKEHOUSE_ARCHIVES=no turns it off",
        )
    return ok("unchanged since they were made")


def namespaces(refusal: str) -> Finding:
    """Whether services that do not run as root can be started by this user."""
    if refusal:
        cause = "the system's settings, or the container that this runs in, forbid root to make one"
        return error(refusal, cause, FIX)
    return ok("services that do not run as root can be started")
