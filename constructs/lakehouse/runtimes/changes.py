"""What a deploy would change, and why, beside the synthesised stack: for ``lakehouse diff`` and for a deploy's view."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lakehouse.runtimes import events
from lakehouse.runtimes.state import write_private

FILE = "changes.json"


@dataclass(frozen=True)
class PlannedChanges:
    """``services`` has the reason for each service that is started again.

    ``contents`` are the lines of the plan for the contents; None if they were not compared, and ``failed`` says why if
    that was tried. ``renewed`` are the services that get a renewed certificate and go on.
    """

    services: Mapping[str, str] = field(default_factory=dict)
    contents: tuple[str, ...] | None = None
    failed: str = ""
    renewed: tuple[str, ...] = ()


def write(folder: Path, planned: PlannedChanges) -> None:
    """Write them into the folder of the synthesised stack."""
    write_private(folder / FILE, json.dumps(asdict(planned), indent=1))


def read(folder: Path) -> PlannedChanges:
    """What :func:`write` wrote; nothing if the stack is none of this machine."""
    try:
        raw = json.loads((folder / FILE).read_text())
        contents = None if raw["contents"] is None else tuple(raw["contents"])
        return PlannedChanges(raw["services"], contents, raw.get("failed", ""), tuple(raw.get("renewed", ())))
    except (OSError, ValueError, KeyError, TypeError):
        return PlannedChanges()


def tell(folder: Path) -> None:
    """Tell a command that watches the deploy what is about to be started."""
    for name, why in read(folder).services.items():
        events.tell("planned", name, why)
