"""``python -m bootstrap.probe.table DOCUMENT NAME=FILE...``: probe results as the table of a Markdown document.

Each FILE is the output of ``lakehouse store probe --json``; the table replaces what is between two marks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- probe -->\n", "<!-- /probe -->\n"


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Lines of Markdown: one row per operation, one column per store; then the remarks that are too long for a cell."""
    names = list(found)
    yield f"| operation | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for row in zip(*found.values(), strict=True):
        yield f"| {row[0]['operation']} | {' | '.join(map(_cell, row))} |"
    counts = [sum(each["outcome"] == "works" for each in results) for results in found.values()]
    totals = (f"**{count} of {len(results)}**" for count, results in zip(counts, found.values(), strict=True))
    yield f"| works | {' | '.join(totals)} |"
    yield ""
    for name, results in found.items():
        for each in results:
            if each["outcome"] == "wrong":
                yield f"- {name}, {each['operation']}: {each['remark']}."


def _cell(result: Mapping[str, Any]) -> str:
    match result["outcome"]:
        case "works":
            return f"{result['milliseconds']:.0f} ms"
        case "refused":
            return f"refused ({result['remark'].rpartition(': ')[2]})"
        case _:
            return "**wrong**"


def write(document: Path, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Put the table into the document. Raises ValueError if it has no place for it."""
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no {BEGIN.strip()} and {END.strip()} to write between")
    document.write_text(before + begin + "\n".join(table(found)) + "\n" + end + after)


if __name__ == "__main__":
    pairs = (word.partition("=") for word in sys.argv[2:])
    write(Path(sys.argv[1]), {name: json.loads(Path(file).read_text())["results"] for name, _, file in pairs})
