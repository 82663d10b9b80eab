"""The programs that a deploy needs. Only decisions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lakehouse import toolkit
from lakehouse.packages.terraform import VARIABLE
from lakehouse.runtimes.findings import Finding, error, ok

OLDEST_TERRAFORM = (1, 5)

_CHANGED = (
    "something changed files in the cache after they were fetched, or the disk is failing",
    "`lakehouse setup --verify`",
)


def numbers(version: str) -> tuple[int, ...]:
    """``v1.11.4`` as (1, 11, 4)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def terraform(program: str | None, version: str | None) -> Finding:
    """``program`` is what cdktf calls, None if there is none: no terraform, no tofu, and no OpenTofu in the cache.

    ``version`` is its product and version; empty if it does not answer, None if there is no such program.
    """
    least = ".".join(map(str, OLDEST_TERRAFORM))
    fix = f"install Terraform {least} or newer (developer.hashicorp.com/terraform/install), then `terraform version`"
    if program is None:
        return error(
            "no terraform and no tofu is on PATH, and OpenTofu is not in the cache",
            "the set-up was not finished, the cache was emptied or damaged, or PATH has changed",
            f"`{toolkit.command('setup')}`, which builds OpenTofu; or {fix}",
        )
    if version is None:
        cause = f"{VARIABLE} names a program that is not there"
        return error(f"{program} is not on PATH", cause, f"unset {VARIABLE}; or {fix}")
    if not version:
        return error(f"{program} does not answer", "the program is damaged, or made for another machine", fix)
    if numbers(version) < OLDEST_TERRAFORM:
        return error(version, f"it is older than {least}", fix)
    return ok(version)


def cdktf(node: str | None, cli: bool) -> Finding:
    """``node`` is the version of the venv's own Node, None if it does not answer; ``cli``: cdktf-cli exists."""
    if not node:
        return error(
            "Node is missing, so the CDK does not run",
            "the set-up was not finished, or its files were removed",
            f"`{toolkit.command('setup')}`",
        )
    return ok(f"cdktf-cli on Node {node}" if cli else f"Node {node}; cdktf-cli is installed when `cdktf` is first used")


def packages(missing: Sequence[str], count: int, damaged: Sequence[str] = ()) -> Finding:
    """Packages of the stack's services that the cache lacks, of ``count``, and what is damaged in the others."""
    if missing:
        return error(
            f"not in the cache, or not whole: {', '.join(missing)}",
            "they were not fetched yet, the cache was emptied or damaged, or the file now asks for other versions",
            f"`{toolkit.command('setup')}`",
        )
    if damaged:
        return error("; ".join(damaged), *_CHANGED)
    return ok(f"{count} packages in the cache" if count else "none needed")


def java(missing: Sequence[int], found: Sequence[int]) -> Finding:
    """Java feature versions that the services need: those that this machine lacks, and those it has."""
    if missing:
        return error(
            f"no Java {' and no Java '.join(map(str, missing))} that fits",
            "this machine has none of that version with all the modules, and the package was not fetched",
            f"`{toolkit.command('setup')}`",
        )
    return ok(f"Java {', '.join(map(str, found))}" if found else "none needed")
