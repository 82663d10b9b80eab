"""What is in quotes is text to a reader of HOCON, which is a reader of JSON there."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, dictionaries, integers, lists

from lakehouse.text.hocon import HoconBlocks, hocon
from lakehouse.text.placeholders import Secret, filled
from tests.unit.lakehouse.text.strategies import texts

_PLAIN = texts | booleans() | integers()
VALUES = _PLAIN | lists(_PLAIN, max_size=2) | dictionaries(texts, lists(texts, max_size=1), max_size=2)


@given(dictionaries(texts, VALUES, max_size=3))
def test_every_value_is_read_as_it_was_written(settings: dict[str, object]) -> None:
    written = hocon(settings)
    assert isinstance(written, str)
    assert json.loads(written) == settings


@given(texts)
def test_no_text_leaves_its_quotes(text: str) -> None:
    """Outside of quotes, HOCON has substitutions, comments and other files: there, only our own signs are."""
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", str(hocon({text: [text, {"a": text}]})))
    assert set(outside) <= set("{}[]:, \n")


@pytest.mark.parametrize("text", ["${HOME}", '"} include "/etc/passwd', "# no", "// no", "a\nb", "a=b", "ü\u2028"])
def test_text_that_means_more_without_quotes(text: str) -> None:
    assert json.loads(str(hocon({"a": text}))) == {"a": text}


def test_a_secret_stays_a_placeholder_until_the_file_is_written() -> None:
    written = hocon({"alone": Secret("a"), "among": ('x"', Secret("b"), "y"), "list": [Secret("a")]})
    assert "secret-of" not in repr(written)
    read = json.loads(filled(written, lambda name: f"secret-of-{name}"))
    assert read == {"alone": "secret-of-a", "among": 'x"secret-of-by', "list": ["secret-of-a"]}


def test_blocks_may_have_the_same_name() -> None:
    assert hocon({"transform": HoconBlocks((("Sql", {"a": 1}), ("Sql", {"a": 2})))}) == (
        '{"transform": {"Sql": {"a": 1}, "Sql": {"a": 2}}}\n'
    )
