"""The progress of downloads: bars on a terminal; one line per file in CI, in a pipe and with NO_COLOR."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

BytesSeen = Callable[[int], None]


class ProgressReport:
    """Reports progress to the user. ``bars`` is None without animation; ``quiet`` prints nothing at all."""

    def __init__(self, console: Console, bars: Progress | None, quiet: bool) -> None:
        self._console, self._bars, self._quiet = console, bars, quiet

    def say(self, text: str) -> None:
        """One line."""
        if not self._quiet:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def file(self, label: str, size: int) -> Iterator[BytesSeen]:
        """A file of ``size`` bytes; the returned callable gets the number of bytes so far."""
        began = time.monotonic()
        if self._bars is None:
            yield lambda have: None
        else:
            bars, task = self._bars, self._bars.add_task(label, total=size)
            yield lambda have: bars.update(task, completed=have)
            bars.remove_task(task)
        self.say(f"  {label}: {size / 1e6:,.0f} MB, {time.monotonic() - began:.0f} s")

    @contextmanager
    def work(self, label: str) -> Iterator[None]:
        """Work of unknown length; on a terminal something moves."""
        began = time.monotonic()
        task = None if self._bars is None else self._bars.add_task(label, total=None)
        yield
        if self._bars is not None and task is not None:
            self._bars.remove_task(task)
        self.say(f"  {label}: {time.monotonic() - began:.0f} s")


@contextmanager
def report(quiet: bool, *, bars: bool = True) -> Iterator[ProgressReport]:
    """A report on standard error, which leaves standard output to results; without ``bars`` only of lines."""
    console = Console(stderr=True, color_system=None if os.environ.get("NO_COLOR") else "auto")
    plain = quiet or not bars or bool(os.environ.get("CI") or os.environ.get("NO_COLOR")) or not console.is_terminal
    if plain:
        yield ProgressReport(console, None, quiet)
        return
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as drawn:
        yield ProgressReport(console, drawn, quiet)
