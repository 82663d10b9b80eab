"""What reaches the user's screen: no progress bars if nobody watches, and never a secret."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from lakehouse.runtimes.whose import check_readable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from lakehouse.spec import Lakehouse
    from lakehouse.spec.problems import Problem

_HIDDEN = "********"
# The values of these variables do not belong on a screen either.
_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_BLANKS = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$")  # at the end of a line, also of a coloured one


class Redactor:
    """Blacks out the secrets of a folder (a file each) in text.

    It fails closed: if the secrets cannot be read, no text is passed on, because it may contain one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_at: int | None = None
        self._secrets: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        try:
            secrets = self._current()
        except OSError as error:
            return (
                f"(output withheld: {self._folder} cannot be read ({error.strerror}), so secrets in it could not be "
                "blacked out)\n"
            )
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    def _current(self) -> tuple[str, ...]:
        """The secrets, read again if one was added since the last read."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed != self._read_at:
            found = {file.read_text().strip() for file in self._folder.iterdir()} if changed else set()
            found |= {os.environ.get(name, "") for name in _VARIABLES}
            # The longest first: a secret may be the beginning of another.
            self._secrets = tuple(sorted(found - {""}, key=len, reverse=True))
            self._read_at = changed
        return self._secrets


class RedactedStream:
    """A text stream that passes whole lines, and flushed text, through a redactor to another stream."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream = stream
        self._redact = redact
        self._pending = ""

    def write(self, text: str) -> int:
        whole, newline, self._pending = (self._pending + text).rpartition("\n")
        if newline:
            self._stream.write(self._redact(whole + newline))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, ""
            self._stream.write(self._redact(pending))
        self._stream.flush()

    def reveal(self, text: str) -> None:
        """Pass text as it is, after what was written before."""
        self.flush()
        self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # bytes would bypass the redactor
            raise AttributeError(name)
        return getattr(self._stream, name)


def guard(secrets: Path) -> None:
    """Redact the secrets of that folder in everything that this process prints from now on.

    Raises LakehouseError if this user may not read them: then nothing could be printed, not even why.
    """
    check_readable(secrets)
    redact = Redactor(secrets)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        inner = stream._stream if isinstance(stream, RedactedStream) else stream
        setattr(sys, name, RedactedStream(inner, redact))


def reveal(text: str) -> None:
    """Print text with its secrets, for somebody who asked for exactly that."""
    if isinstance(sys.stdout, RedactedStream):
        sys.stdout.reveal(text)
    else:
        sys.stdout.write(text)


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console on the current standard output or error. With NO_COLOR (https://no-color.org) it writes plain text.

    With NO_COLOR rich itself still prints bold.
    """
    from rich.console import Console

    colors: Literal["auto"] | None = None if plain() else "auto"
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=width, color_system=colors)


def show(table: Table, *, width: int | None = None) -> None:
    """Print a table without the blanks at the ends of its lines, which would go on in the next line of a terminal."""
    made = console(width=width)
    with made.capture() as shown:
        made.print(table)
    print("\n".join(_BLANKS.sub(r"\1", line) for line in shown.get().splitlines()))


def plain() -> bool:
    """Whether the user wants no escape codes: NO_COLOR is set, to any text."""
    return bool(os.environ.get("NO_COLOR"))


def watched() -> bool:
    """Whether a person watches, so that progress is worth showing."""
    return sys.stderr.isatty() and not plain() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def caution(path: Path, lakehouse: Lakehouse, further: Iterable[Problem] = ()) -> list[str]:
    """Print the warnings of a valid file, and ``further`` ones about it, on standard error. Returns them."""
    from lakehouse.spec import cautions

    found = cautions(path, lakehouse, further)
    for each in found:
        print(f"warning: {each}", file=sys.stderr)
    return found


def answer(question: str) -> str:
    """What the person at the terminal answers; empty after Ctrl-D. The output may be a pipe, so it does not ask."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def progress() -> Progress:
    """A progress bar on standard error; silent in CI and on a pipe."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console(stderr=True), transient=True, disable=not watched())
