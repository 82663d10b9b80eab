"""What `lakehouse doctor` finds in a deployed lakehouse, as tests look at it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lakehouse.runtimes.probe import await_ready
from lakehouse.runtimes.process.supervisor import Supervisor
from tests.integration.deployment import BIN, Deployment

Findings = dict[str, dict[str, Any]]


def doctor(deployed: Deployment, *, code: int, **variables: str) -> Findings:
    """The command's findings, by check; its exit code must be ``code``."""
    named = ["env", *(f"{name}={value}" for name, value in variables.items()), str(BIN / "lakehouse")]
    words = ("doctor", "--json")
    report = json.loads(deployed.run(*named, *words, code=code) if variables else deployed.lakehouse(*words, code=code))
    assert report["ok"] == (code == 0)
    return {each["check"]: each for each in report["checks"]}


def errors(found: Findings) -> set[str]:
    return {name for name, each in found.items() if each["severity"] == "error"}


def behind(found: Findings, cause: str) -> set[str]:
    """The checks that were skipped because of another."""
    return {name for name, each in found.items() if each["severity"] == "skipped" and each["cause"] == cause}


@contextmanager
def stopped(deployed: Deployment, name: str) -> Iterator[None]:
    """Stop the service in the supervisor; afterwards start it again and wait for it."""
    local = deployed.local
    supervisor, service = Supervisor(local.state), next(each for each in local.services if each.name == name)
    supervisor.remove(name)
    try:
        yield
    finally:
        supervisor.add(service)
        await_ready(service, local.state, lambda: supervisor.processes().get(name))
