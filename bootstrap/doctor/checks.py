"""Which checks a stack has, what each examines, and what must be right first."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.doctor import (
    files,
    probes,
    services,
    shell,
    tools,
)
from bootstrap.doctor.stack import StackChecks
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.kinds.needed import Needed
from lakehouse.packages import terraform
from lakehouse.packages.jvm import packaged
from lakehouse.runtimes.findings import Check, Finding, ok
from lakehouse.spec.catalogs import missing
from lakehouse.spec.problems import SpecError
from lakehouse.spec.source import read


def without_a_file(problem: SpecError, around: Surroundings) -> list[Check]:
    """The checks if lakehouse.yaml itself is invalid: nothing is known about a stack then."""
    return [
        Check("file", lambda: files.usable(problem, problem.path.name)),
        *_tools(around),
        Check("stack", lambda: ok(""), after=("file",)),
    ]


def of_target(target: Target, around: Surroundings) -> list[Check]:
    """The checks of a local stack, causes before consequences.

    Raises UsageError if the file has no such local stack.
    """
    undefined = _undefined(target)
    needed = probes.needs(target.lakehouse, target.stack)
    first = [
        Check("file", lambda: files.usable(_absent(target), target.path.name)),
        *_tools(around),
        Check("packages", lambda: _packages(needed)),
        Check("java", lambda: tools.java(probes.missing_java(needed.javas), needed.javas)),
        Check("proxy", lambda: shell.proxies(around.environment)),
    ]
    if undefined:
        return [*first, Check("stack", lambda: services.undefined(undefined), after=("packages", "java"))]
    return [*first, *StackChecks(target, around).checks()]


def _packages(needed: Needed) -> Finding:
    names = [*needed.packages, *(f"java-{feature}" for feature in needed.javas if packaged(feature))]
    missing = probes.missing_packages(needed.packages)
    return tools.packages(missing, len(needed.packages), [] if missing else probes.damaged_packages(names))


def _absent(target: Target) -> SpecError | None:
    """What the file names on this machine and is not there: the other commands read the file without a look at it."""
    folder, stack = target.path.parent, target.lakehouse.stacks[target.stack]
    found = [*missing(target.lakehouse, folder), *files.licence(target.stack, getattr(stack, "license", None), folder)]
    lines = read(target.path).line if found else None
    return SpecError(target.path, [(lines(each.at), each) for each in found]) if lines else None


def _undefined(target: Target) -> str:
    """Why the stack's services cannot even be defined; empty if they can."""
    try:
        _ = target.located
    except UsageError:
        raise
    except LakehouseError as problem:
        return str(problem)
    return ""


def terraform_check(around: Surroundings) -> Check:
    """The check of the program that deploys."""
    program = terraform.find(around.environment)
    return Check("terraform", lambda: tools.terraform(program, program and terraform.version(program)))


def _tools(around: Surroundings) -> Iterator[Check]:
    yield terraform_check(around)
    yield Check("cdktf", lambda: tools.cdktf(probes.node_version(), probes.cdktf_is_there()))
