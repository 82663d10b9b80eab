"""Rows as text: a table or records for people, CSV or JSON for programs.

Every form is printed while the rows come: its lines are yielded in pieces, one for each batch.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal

from bootstrap.session.values import as_json, distinct, is_number, text
from lakehouse.text.terminal import escaped

RowFormat = Literal["table", "vertical", "csv", "json"]
PrintedRow = Sequence[Any]

_SAMPLE = 1000  # rows from which a table's widths are chosen
_PATIENCE = 1.0  # seconds after the first row, in which it waits for the others of the sample
_QUOTED = re.compile(r'[",\r\n]|^\s|\s$')


def printed(
    form: RowFormat, columns: Sequence[str], batches: Iterable[Sequence[PrintedRow]], null: str | None, room: int | None
) -> Iterator[str]:
    """A result in a form. ``null`` stands for NULL: by default ``NULL``, or nothing in CSV.

    ``room``: the columns of a terminal; a table that is wider is printed as records.
    """
    if form == "csv":
        return csv(columns, batches, null or "")
    if form == "json":
        return json_lines(columns, batches)
    word = "NULL" if null is None else null
    return vertical(columns, batches, word) if form == "vertical" else table(columns, batches, word, room)


def csv(columns: Sequence[str], batches: Iterable[Sequence[PrintedRow]], null: str = "") -> Iterator[str]:
    """RFC 4180, with a header. NULL is ``null`` without quotes; a text that looks like it, such as '', has quotes."""

    def field(value: Any) -> str:
        if value is None:
            return null
        word = text(value)
        quoted = word in ("", null) or _QUOTED.search(word)
        return '"' + word.replace('"', '""') + '"' if quoted else word

    yield ",".join(map(field, columns)) + "\n"
    for batch in batches:
        yield "".join(",".join(map(field, row)) + "\n" for row in batch)


def json_lines(columns: Sequence[str], batches: Iterable[Sequence[PrintedRow]]) -> Iterator[str]:
    """A JSON object for each row, on a line of its own. A repeated column's name gets a number."""
    names = distinct(columns)
    for batch in batches:
        yield "".join(as_json(dict(zip(names, row, strict=True))) + "\n" for row in batch)


def table(
    columns: Sequence[str], batches: Iterable[Sequence[PrintedRow]], null: str = "NULL", room: int | None = None
) -> Iterator[str]:
    """A table as psql prints it, numbers right-aligned, and the count of rows below.

    The first rows decide how wide a column is; one that is wider widens it for the rows that follow.
    """
    coming = iter(batches)
    first = _sample(coming)
    cells = [[_lines(value, null) for value in row] for row in first]
    heads = [_lines(name, null) for name in columns]
    widths = [max(map(_width, column)) for column in zip(heads, *cells, strict=True)]
    if room is not None and len(columns) > 1 and sum(widths) + 3 * len(widths) - 1 > room:
        yield from _records(columns, first, coming, null)
        return
    right = [bool(first) and all(row[n] is None or is_number(row[n]) for row in first) for n in range(len(columns))]
    rule = f"-{'-+-'.join('-' * width for width in widths)}-\n"
    yield _row(heads, widths, right) + rule + "".join(_row(row, widths, right) for row in cells)
    count = len(first)
    for batch in coming:
        cells = [[_lines(value, null) for value in row] for row in batch]
        widths = (
            [max(width, *map(_width, column)) for width, *column in zip(widths, *cells, strict=True)]
            if cells
            else widths
        )
        count += len(cells)
        yield "".join(_row(row, widths, right) for row in cells)
    yield _count(count)


def vertical(columns: Sequence[str], batches: Iterable[Sequence[PrintedRow]], null: str = "NULL") -> Iterator[str]:
    """A record for each row, with a line for each column, for rows that are wider than a screen."""
    return _records(columns, [], iter(batches), null)


def _records(
    columns: Sequence[str], first: Sequence[PrintedRow], coming: Iterator[Sequence[PrintedRow]], null: str
) -> Iterator[str]:
    from rich.cells import cell_len

    names = [" ".join(_lines(name, null)) for name in columns]
    width = max(map(cell_len, names), default=0)

    def record(number: int, row: PrintedRow) -> str:
        lines = [f"-[ {number} ]-".ljust(width + 2, "-")]
        for name, value in zip(names, row, strict=True):
            head, *further = _lines(value, null)
            lines.append(f"{name}{' ' * (width - cell_len(name))} | {head}".rstrip())
            lines += [f"{' ' * width} | {line}".rstrip() for line in further]
        return "\n".join(lines) + "\n"

    count = 0
    for batch in chain([first], coming):
        yield "".join(record(count + n, row) for n, row in enumerate(batch, 1))
        count += len(batch)
    yield _count(count)


def _sample(batches: Iterator[Sequence[PrintedRow]]) -> list[PrintedRow]:
    """The first rows: enough to choose widths from, or as many as come within a short time."""
    rows: list[PrintedRow] = []
    until: float | None = None
    for batch in batches:
        rows += batch
        if rows and until is None:
            until = time.monotonic() + _PATIENCE
        if len(rows) >= _SAMPLE or (until is not None and time.monotonic() > until):
            break
    return rows


def _lines(value: Any, null: str) -> list[str]:
    """The lines of a cell, without characters that move a terminal's cursor."""
    if value is None:
        return [null]
    return [escaped(line.expandtabs(4)) for line in text(value).rstrip("\n").split("\n")]


def _width(lines: Sequence[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, lines))


def _row(cells: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool]) -> str:
    """A row's lines. Where a cell goes on in the next line, a plus follows it, unless it is alone in its row."""
    from rich.cells import cell_len

    out = []
    for n in range(max(map(len, cells))):
        line = ""
        for cell, width, to_right in zip(cells, widths, right, strict=True):
            value = cell[n] if n < len(cell) else ""
            blanks = " " * (width - cell_len(value))
            on = "+" if n + 1 < len(cell) and len(cells) > 1 else " "
            line += f"{'|' if line else ''} {blanks + value if to_right else value + blanks}{on}"
        out.append(line.rstrip() + "\n")
    return "".join(out)


def _count(rows: int) -> str:
    return f"({rows} row{'' if rows == 1 else 's'})\n"
