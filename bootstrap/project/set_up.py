"""``lakehouse setup``: what a deploy needs on this machine, into the user's cache folder. What is there stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.kinds.needed import images, needed
from lakehouse.packages import cdktf_cli, set_up
from lakehouse.spec import load
from offline import go


def deployable(file: Path) -> None:
    """cdktf-cli, and the packages of the file's services.

    Raises LakehouseError if something cannot be fetched or built, UsageError if the file is invalid.
    """
    _terraform()
    cdktf_cli.set_up()
    found = needed(load(file))
    set_up(found.packages, found.javas, build=go.build)


def built_images(file: Path) -> None:
    """The images of the file's stacks, built from the packages, for a machine that reaches no registry."""
    from lakehouse.runtimes.docker.engine import DockerEngine
    from offline.images import build
    from offline.recipes import RECIPES

    build([key for key in images(load(file)) if key in RECIPES], DockerEngine())


def built_provider() -> Path:
    """Terraform's Docker provider in one of Terraform's folders; built if neither they nor a registry have it."""
    from offline.provider import install, installed

    return installed() or install()


def _terraform() -> None:
    program = os.environ.get("TERRAFORM_BINARY_NAME") or "terraform"
    if shutil.which(program) is None:
        raise LakehouseError(
            f"{program} is not on PATH. Install Terraform 1.5 or newer from your system's packages or from HashiCorp "
            "(developer.hashicorp.com/terraform/install), then run this again."
        )
