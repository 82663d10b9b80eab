"""What the steps of a deploy tell a command that watches it: one JSON object a line, in a file.

The command names the file in an environment variable, which cdktf and Terraform pass on. Without it nothing is written.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Literal

VARIABLE = "LAKEHOUSE_EVENTS"

#: ``planned``: the service will be started, ``text`` says why. ``started``, ``ready``, ``stopping``, ``stopped``: of a
#: service. ``failed``: of a service or step, ``text`` is the error. ``step``: a step without a service begins.
#: ``contents``: ``done`` of ``of`` changes are applied, the last one at ``name``.
EventKind = Literal["planned", "started", "ready", "stopping", "stopped", "failed", "step", "contents"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a service, a step or the contents. ``at`` is in seconds since the epoch."""

    kind: EventKind
    name: str = ""
    text: str = ""
    at: float = 0.0
    done: int = 0
    of: int = 0


def tell(kind: EventKind, name: str = "", text: str = "", *, done: int = 0, of: int = 0) -> None:
    """Add an event, if a command watches. It never fails: a deploy goes on without a watcher."""
    if path := os.environ.get(VARIABLE):
        line = json.dumps(asdict(Event(kind, name, text, time.time(), done, of))) + "\n"
        with suppress(OSError), open(path, "a") as file:
            file.write(line)  # one write in append mode: lines of several steps do not mix


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The events of some whole lines. What is no event is left out."""
    for line in lines:
        with suppress(ValueError, TypeError):
            yield Event(**json.loads(line))
