"""The containers in Terraform's state. An interrupted deploy may have created more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def known_names(file: Path) -> frozenset[str] | None:
    """The names of the containers in Terraform's state that are not tainted.

    If the creation of one was interrupted, it is tainted: Terraform will create it again, and its name must be free.
    Returns None if the file does not exist, because then the names are unknown.
    """
    resources = _resources(file)
    if resources is None:
        return None
    return frozenset(
        instance["attributes"]["name"]
        for each in resources
        if each["type"] == "docker_container"
        for instance in each["instances"]
        if instance.get("status") != "tainted"
    )


def former_networks(file: Path) -> list[str]:
    """The addresses of the networks in Terraform's state, where an earlier version had them."""
    return [f"{each['type']}.{each['name']}" for each in _resources(file) or () if each["type"] == "docker_network"]


def _resources(file: Path) -> list[dict[str, Any]] | None:
    try:
        content = json.loads(file.read_text() or "{}")  # locking a state that does not exist leaves an empty file
    except FileNotFoundError:
        return None
    found: list[dict[str, Any]] = content.get("resources", [])
    return found
