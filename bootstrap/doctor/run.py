"""Examines a stack, from the file's name to the findings."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bootstrap import output
from bootstrap.doctor import checks, in_aws
from bootstrap.doctor.findings import CheckResult, examine
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.session.target import find
from lakehouse.runtimes.findings import Check
from lakehouse.runtimes.state import folder
from lakehouse.spec import LocalStack
from lakehouse.spec.problems import SpecError


def run(
    file: Path | None, stack: str | None, around: Surroundings | None = None
) -> tuple[str, tuple[CheckResult, ...]]:
    """The stack's name and the findings, for the file and stack of the command line's global options.

    Raises UsageError if the file is valid but has no such stack.
    """
    around = around or Surroundings(dict(os.environ), time.time)  # a copy: clients add to it
    try:
        target = find(file, stack)
    except SpecError as problem:
        return stack or "local", _examined(checks.without_a_file(problem, around))
    found = target.lakehouse.stacks.get(target.stack)
    if isinstance(found, LocalStack):  # logs are quoted, and a log may contain a service's secrets
        output.guard(folder(target.path, target.stack, found.state) / "secrets")
    if target.in_aws:
        return target.stack, _examined(in_aws.of_target(target, around))
    return target.stack, _examined(checks.of_target(target, around))


def _examined(made: list[Check]) -> tuple[CheckResult, ...]:
    with output.progress() as progress:
        task = progress.add_task("", total=len(made))
        return examine(made, lambda name: progress.update(task, description=name, advance=1))
