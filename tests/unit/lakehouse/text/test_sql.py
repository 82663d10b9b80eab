"""Names and values in SQL, read again by parsers of both dialects."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from

from lakehouse.text import sql
from lakehouse.text.sql import Dialect
from tests.unit.lakehouse.text.strategies import texts

dialects = sampled_from(["spark", "trino"])


@given(texts, dialects)
def test_a_name_is_one_token(text: str, dialect: Dialect) -> None:
    """https://spark.apache.org/docs/latest/sql-ref-identifier.html and Trino's SqlBase.g4 have the same rule."""
    quote = "`" if dialect == "spark" else '"'
    written = sql.name(text, dialect)
    assert re.fullmatch(f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}", written, re.DOTALL)
    assert written[1:-1].replace(quote * 2, quote) == text


@given(texts)
def test_a_value_is_one_token_of_trino(text: str) -> None:
    written = sql.string(text, "trino")
    assert re.fullmatch(r"'(?:[^']|'')*'", written, re.DOTALL)
    assert written[1:-1].replace("''", "'") == text


@given(texts)
def test_a_value_is_one_token_of_spark(text: str) -> None:
    written = sql.string(text, "spark")
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", written, re.DOTALL)
    assert re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL) == text


@pytest.mark.parametrize(("dialect", "expected"), [("spark", "`a`.`b``c`"), ("trino", '"a"."b`c"')])
def test_path(dialect: Dialect, expected: str) -> None:
    assert sql.path(["a", "b`c"], dialect) == expected
