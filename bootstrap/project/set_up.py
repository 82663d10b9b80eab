"""``lakehouse setup``: what a deploy needs on this machine, into the user's cache folder. What is there stays."""

from __future__ import annotations

import sys
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.kinds.needed import images, needed
from lakehouse.packages import cdktf_cli, environment, set_up, terraform
from lakehouse.spec import Lakehouse, LocalStack
from lakehouse.text.words import listed
from offline import go
from offline.terraform import build_if_needed


def deployable(lakehouse: Lakehouse, file: Path, *, stack: str | None = None, verify: bool = False) -> None:
    """The packages of the file's services (or of one stack's), and OpenTofu if there is no Terraform.

    With ``verify`` each file of the packages is read, and a damaged one fetched again. Former versions of cdktf-cli,
    DataHub's command line and OpenTofu are removed if nobody used them for 30 days.

    Raises LakehouseError if something cannot be fetched or built.
    """
    try:
        build_if_needed()
        packages(lakehouse, file, stack=stack, verify=verify)
    except KeyboardInterrupt:
        print("\nInterrupted in the set-up. What was fetched is kept: the same command goes on.", file=sys.stderr)
        raise
    for former in (
        *cdktf_cli.remove_former(),
        *(folder for each in environment.ALL for folder in each.remove_former()),
        *terraform.remove_former(),
    ):
        print(f"removed {former}: other pins, and not used for 30 days", file=sys.stderr, flush=True)


def packages(lakehouse: Lakehouse, file: Path, *, stack: str | None = None, verify: bool = False) -> None:
    """The packages and the Java of the file's services, or of one stack's; of a stack in AWS there are none.

    Raises as :func:`deployable`, and UsageError if the file has no such stack.
    """
    if stack is not None and stack not in lakehouse.stacks:
        raise UsageError(f'{file.name} has no stack "{stack}"; it has {listed(list(lakehouse.stacks))}.')
    chosen = {name: each for name, each in lakehouse.stacks.items() if stack in (None, name)}
    lakehouse = lakehouse.model_copy(update={"stacks": chosen})
    found = needed(lakehouse)
    set_up(found.packages, found.javas, verify=verify, build=go.build)
    if verify:
        from lakehouse.runtimes import training

        training.repair(lakehouse, file)


def archives(lakehouse: Lakehouse, folder: Path, *, stack: str | None = None) -> list[str]:
    """Write to a folder what hosts fetch, if ``packages`` of their stack names its URL; gives the names of new files.

    Raises UsageError if no stack runs on hosts, LakehouseError if the folder cannot be written to.
    """
    from lakehouse.runtimes.hosts import uploads

    on_hosts = {
        name: each
        for name, each in lakehouse.stacks.items()
        if stack in (None, name) and isinstance(each, LocalStack) and each.runtime == "hosts"
    }
    if not on_hosts:
        raise UsageError("--archives is for stacks with `runtime: hosts`, and there is none here.")
    found = needed(lakehouse.model_copy(update={"stacks": on_hosts}))
    return uploads.publish([*found.packages, *(f"java-{each}" for each in found.javas)], folder)


def built_images(lakehouse: Lakehouse) -> None:
    """The images of the file's stacks, built from the packages, for a machine that reaches no registry."""
    from lakehouse.runtimes.docker.engine import DockerEngine
    from offline.images import build
    from offline.recipes import RECIPES

    build([key for key in images(lakehouse) if key in RECIPES], DockerEngine())


def built_provider() -> None:
    """Terraform's Docker provider, built if neither a registry nor one of Terraform's folders has it."""
    from offline.provider import install, installed, registry_answers

    if not installed() and not registry_answers():
        install()
