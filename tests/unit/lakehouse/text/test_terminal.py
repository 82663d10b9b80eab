"""Text on a terminal is shown, and controls nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given

from lakehouse.text.terminal import shown, shown_lines
from tests.unit.lakehouse.text.strategies import texts


@given(texts)
def test_nothing_hidden_is_left(text: str) -> None:
    assert not [each for each in shown(text) if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    shown(text).encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("größe 𝄞", "größe 𝄞"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\ud800", "\\ud800"),
        ("\u202e", "\\u202e"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_long_text_keeps_its_ends() -> None:
    text = shown("a" * 10_000_000 + " the rule")
    assert len(text) < 3_000
    assert text.endswith("the rule")


def test_a_message_keeps_its_lines() -> None:
    assert shown_lines("a\n  b\x1b[2J\n") == "a\n  b\\x1b[2J\n"
