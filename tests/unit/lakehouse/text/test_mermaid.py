"""Mermaid shows a label as its exact text: no Markdown, HTML, icon, formula or directive."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis.strategies import lists

from lakehouse.text.mermaid import label
from lakehouse.text.terminal import shown
from tests.unit.lakehouse.text.strategies import texts


def read(text: str) -> list[str]:
    """The lines of a quoted label. Mermaid replaces the numbers last, when all else has been read."""
    assert re.fullmatch(r'"(?:[A-Za-z0-9, _/.-]|#[0-9]+;|<br/>)*"', text), text
    # What of that is Markdown at the end of a word or of a line stands between letters alone, here also as numbers.
    assert not re.search(r'(?<![A-Za-z0-9])[_/.-](?!>)|(?<!<br)[_/.-](?![A-Za-z0-9])|(?:^|["> ]) | (?:$|["<])', text)
    assert not re.search(r"[A-Za-z]\.|\.[A-Za-z]", text)  # www.example.com would become a link
    return [re.sub(r"#([0-9]+);", lambda match: chr(int(match[1])), line) for line in text[1:-1].split("<br/>")]


@given(lists(texts, min_size=1, max_size=3))
def test_what_is_read_is_what_was_written(lines: list[str]) -> None:
    assert read(label(lines)) == [shown(line) for line in lines]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("silver.minute_aggs, 2 x a-b", "silver#46;minute_aggs, 2 x a-b"),
        ("nessie-0.99.0", "nessie-0.99.0"),
        ("- a", "#45;#32;a"),
        ("1. a", "1#46;#32;a"),
        ("_a_", "#95;a#95;"),
        ("style: #35;", "style#58;#32;#35;35#59;"),
        ("%%{init: {}}%%", "#37;#37;#123;init#58;#32;#123;#125;#125;#37;#37;"),
    ],
)
def test_only_what_could_mean_more_is_a_number(text: str, written: str) -> None:
    assert label([text]) == f'"{written}"'
