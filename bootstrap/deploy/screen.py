"""Shows a view: in place on a terminal that a person watches, otherwise as a line for each change."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from bootstrap import output
from bootstrap.deploy.view import DeployView, frame, plain_lines


class Screen(Protocol):
    """Where a view is shown."""

    def tell(self, view: DeployView) -> None:
        """Something has happened; this is the view since then."""

    def draw(self, view: DeployView) -> None:
        """Time has passed."""


@contextmanager
def screen() -> Iterator[Screen]:
    """The screen for this process's standard error. A live view leaves nothing behind."""
    if output.watched():
        with _Live() as live:
            yield live
    else:
        yield _Lines()


class _Lines:
    """One line for each change."""

    def __init__(self) -> None:
        self._last: DeployView | None = None

    def tell(self, view: DeployView) -> None:
        last = self._last or DeployView.of(view.action, view.lakehouse, view.stack, list(view.parts), view.began)
        for line in plain_lines(last, view, time.time()):
            print(line, file=sys.stderr, flush=True)
        self._last = view

    def draw(self, view: DeployView) -> None:
        pass


class _Live:
    """A frame that is drawn again in place. The terminal's size is asked each time."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, transient=True, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> _Live:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # the terminal is closed
            self._live.stop()

    def tell(self, view: DeployView) -> None:
        pass

    def draw(self, view: DeployView) -> None:
        from rich.text import Text

        size = self._console.size
        lines = frame(view, time.time(), size.width, size.height)
        text = Text("\n", no_wrap=True, end="").join([Text(line.text, line.style) for line in lines])
        self._live.update(text, refresh=True)
