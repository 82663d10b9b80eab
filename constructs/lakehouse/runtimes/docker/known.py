"""The containers and networks in Terraform's state. An interrupted deploy may have created more."""

from __future__ import annotations

import json
from pathlib import Path

_KINDS = ("docker_container", "docker_network")


def known_names(file: Path) -> frozenset[str] | None:
    """The names of the containers and networks in Terraform's state that are not tainted.

    If the creation of one was interrupted, it is tainted: Terraform will create it again, and its name must be free.
    Returns None if the file does not exist, because then the names are unknown.
    """
    try:
        content = json.loads(file.read_text() or "{}")  # locking a state that does not exist leaves an empty file
    except FileNotFoundError:
        return None
    return frozenset(
        instance["attributes"]["name"]
        for each in content.get("resources", ())
        if each["type"] in _KINDS
        for instance in each["instances"]
        if instance.get("status") != "tainted"
    )
