"""A job as the user gives it: a Python file, what it imports, and its arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import UsageError

_IMPORTED = (".py", ".zip", ".egg")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")  # in a list of Spark's, or in an address


@dataclass(frozen=True)
class Job:
    """A job. Its files are read at once, so that nothing is submitted if one is missing."""

    name: str
    main: tuple[str, bytes]  # the name of the file, and its content
    modules: tuple[tuple[str, bytes], ...]
    arguments: tuple[str, ...]

    @classmethod
    def read(cls, path: Path, modules: Sequence[Path], arguments: Sequence[str]) -> Job:
        """Raises UsageError if a file cannot be read, or is of a kind that Spark does not run or import."""
        main = _read(path, (".py",), "is no Python file: Spark runs those that end with .py")
        rest = [
            _read(each, _IMPORTED, f"cannot be imported: --py-files are {', '.join(_IMPORTED)}") for each in modules
        ]
        names = [name for name, _ in (main, *rest)]
        if twice := [name for name in names if names.count(name) > 1]:
            raise UsageError(f"Two files of the job have the name {twice[0]}. Rename one.")
        return cls(path.stem, main, tuple(rest), tuple(arguments))

    @property
    def files(self) -> tuple[tuple[str, bytes], ...]:
        return (self.main, *self.modules)


def _read(path: Path, endings: Sequence[str], otherwise: str) -> tuple[str, bytes]:
    if path.suffix not in endings:
        raise UsageError(f"{path} {otherwise}.")
    if strange := _UNSAFE.search(path.name):
        raise UsageError(f'{path.name!r} has "{strange[0]}" in it. Rename it: letters, digits, ".", "_" and "-".')
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
