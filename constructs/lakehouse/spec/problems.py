"""Problems of a lakehouse.yaml, and how they are reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError
from lakehouse.text.terminal import shown

Key = str | int
KeyPath = tuple[Key, ...]  # keys and list positions from the top of the file: ("catalogs", "lake", "location")


@dataclass(frozen=True)
class Problem:
    """One problem: its place in the file, and a message with the value, the rule and the fix.

    ``about`` are the other places that the message refers to. If one of them is itself invalid, only that is reported,
    because this problem may only follow from it. ``beside`` is the other place of a problem between two places: its
    line is added to the message.
    """

    at: KeyPath
    message: str
    about: tuple[KeyPath, ...] = ()
    beside: KeyPath | None = None


class SpecError(UsageError):
    """An invalid lakehouse.yaml: all of its problems, each as ``file:line: location: message``."""

    def __init__(self, path: Path, problems: Iterable[tuple[int | None, Problem]]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda found: found[0] or 0))
        super().__init__("\n".join(line(path, number, problem) for number, problem in self.problems))


def line(path: Path, number: int | None, problem: Problem) -> str:
    """``file:line: location: message``."""
    parts = [str(path) if number is None else f"{path}:{number}", dotted(problem.at), problem.message]
    return ": ".join(shown(part) for part in parts if part)


def dotted(at: KeyPath) -> str:
    """A location as text: ``catalogs.lake.namespaces."a.b".tables.t.partition_by[0]``."""
    text = ""
    for key in at:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            name = f'"{key}"' if "." in key or not key else key
            text += f".{name}" if text else name
    return text
