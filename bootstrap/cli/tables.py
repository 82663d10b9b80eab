"""Rows of text on the screen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], wraps: Collection[str] = ()) -> Table:
    """A table whose columns ``wraps`` may take several lines."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading, no_wrap=heading not in wraps)
    for row in rows:
        made.add_row(*(Text(each) for each in row))  # a filter is no markup
    return made
