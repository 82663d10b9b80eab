"""Findings about the process runtime. It only decides, and reads nothing."""

from __future__ import annotations

from lakehouse.runtimes.findings import Finding, error, ok
from lakehouse.runtimes.process.namespaces import FIX


def namespaces(refusal: str) -> Finding:
    """Whether services that do not run as root can be started by this user."""
    if refusal:
        cause = "the system's settings, or the container that this runs in, forbid root to make one"
        return error(refusal, cause, FIX)
    return ok("services that do not run as root can be started")
