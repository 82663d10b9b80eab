"""What each service was started with: its definition and the settings of lakehouse.yaml, for the reason of a restart.

It only explains. Whether a service is started again is decided by its incarnation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.runtimes import generations
from lakehouse.runtimes.incarnation import Incarnation
from lakehouse.runtimes.state import State, write_private
from lakehouse.services.service import Service
from lakehouse.text.later import definition

FILE = "settings.json"  # beside services.json: the settings with which it was made


@dataclass(frozen=True)
class Started:
    """``digest`` is that of the incarnation, ``definition`` the service's, ``settings`` those of the file then."""

    digest: str
    definition: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)  # of the credentials that it uses


def write(folder: Path, data: Mapping[str, Any]) -> None:
    """Write the settings into the folder of the synthesised stack, for the steps."""
    write_private(folder / FILE, json.dumps(data, default=str))  # a setting may be a password


def remember(state: State, service: Service, incarnation: Incarnation, folder: Path) -> None:
    """Record what a service was started with, from the folder of the synthesised stack.

    On a full disk it is not recorded: the service is ready without it.
    """
    try:
        of_file = json.loads((folder / FILE).read_text())
        planned = generations.planned_in(folder).generations
    except (OSError, ValueError, KeyError):
        of_file, planned = {}, {}  # a stack that an earlier version synthesised
    used = {name: planned[name] for name in generations.used(service) if name in planned}
    made = Started(incarnation.digest, definition(service), of_file, used)
    with suppress(OSError):
        write_private(_path(state, service.name), json.dumps(asdict(made)))


def recall(state: State, name: str, digest: str) -> Started | None:
    """What the service was started with; None if that is not known of the incarnation with this digest."""
    try:
        found = Started(**json.loads(_path(state, name).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.digest == digest else None


def _path(state: State, name: str) -> Path:
    return state.root / "services" / f"{name}.started"
