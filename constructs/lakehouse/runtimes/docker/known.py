"""What Terraform knows of a stack's containers and network: a deploy that is interrupted may make more."""

from __future__ import annotations

import json
from pathlib import Path

_KINDS = ("docker_container", "docker_network")


def known_names(file: Path) -> frozenset[str] | None:
    """The names of the containers and networks that Terraform's state has and takes for whole.

    One whose making was interrupted is tainted there: Terraform will make it again, which its name must be free for.
    None if the file is not there: then nobody can tell.
    """
    try:
        content = json.loads(file.read_text() or "{}")  # locking a state that is not there yet leaves an empty file
    except FileNotFoundError:
        return None
    return frozenset(
        instance["attributes"]["name"]
        for each in content.get("resources", ())
        if each["type"] in _KINDS
        for instance in each["instances"]
        if instance.get("status") != "tainted"
    )
