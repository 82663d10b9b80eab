from __future__ import annotations

from typing import Any

import pytest

from lakehouse.text.written import quoted, written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (30, "30"),
        ("public-read", "public-read"),
        ([], "[]"),
        (["id", "place.city"], "[id, place.city]"),
        (("s3://a/", "s3://b/"), "[s3://a/, s3://b/]"),
        ({"b": True, "a": ["x"]}, '{"a": ["x"], "b": true}'),
    ],
)
def test_values_are_written_as_in_the_file(value: Any, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "none"), ("it's 5\"", '"it\'s 5\\""'), ("Zürich\n", '"Zürich\\n"'), (True, "true"), (6, "6")],
)
def test_text_of_any_characters_is_quoted(value: Any, text: str) -> None:
    assert quoted(value) == text
