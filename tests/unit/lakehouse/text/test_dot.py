"""Graphviz shows a label as its exact text: no entity, no escape, no end of the string."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis.strategies import lists

from lakehouse.text.dot import label
from lakehouse.text.terminal import shown
from tests.unit.lakehouse.text.strategies import texts


def read(text: str) -> list[str]:
    """The lines of a quoted label, as Graphviz reads it: first the string, then entities, then escapes."""
    assert re.fullmatch(r'"(?:[^"\\]|\\.)*"', text), text
    inside = html.unescape(text[1:-1].replace('\\"', '"'))
    pieces = re.findall(r"\\.|[^\\]", inside)
    assert "".join(pieces) == inside
    assert {piece for piece in pieces if len(piece) == 2} <= {"\\\\", "\\n"}
    return "".join({"\\\\": "\\", "\\n": "\n"}.get(piece, piece) for piece in pieces).split("\n")


@given(lists(texts, min_size=1, max_size=3))
def test_what_is_read_is_what_was_written(lines: list[str]) -> None:
    assert read(label(lines)) == [shown(line) for line in lines]


@pytest.mark.parametrize(
    ("text", "written"),
    [("a-b.c", "a-b.c"), ('"', '\\"'), ("\\N", "\\\\N"), ("&lt;", "&amp;lt;"), ("&#92;N", "&amp;#92;N")],
)
def test_only_what_could_mean_more_is_escaped(text: str, written: str) -> None:
    assert label([text]) == f'"{written}"'
