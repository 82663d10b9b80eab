from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lakehouse.spec.sql import SqlExpression, ViewSql, columns_in, words

ADAPTER: TypeAdapter[dict[str, str]] = TypeAdapter(ViewSql)


@pytest.mark.parametrize(
    ("said", "read", "written"),
    [
        ("SELECT 1", {"spark": "SELECT 1", "trino": "SELECT 1"}, "SELECT 1"),
        ("\n  SELECT 1\n", {"spark": "SELECT 1", "trino": "SELECT 1"}, "SELECT 1"),
        ({"spark": "SELECT 1"}, {"spark": "SELECT 1"}, {"spark": "SELECT 1"}),
        ({"trino": "a", "spark": "b"}, {"trino": "a", "spark": "b"}, {"trino": "a", "spark": "b"}),
    ],
)
def test_text_is_the_sql_of_every_engine(said: Any, read: Any, written: Any) -> None:
    value = ADAPTER.validate_python(said)
    assert value == read
    assert ADAPTER.dump_python(value) == written
    assert ADAPTER.validate_python(written) == read


def test_words_are_the_names_in_the_sql_however_they_are_quoted() -> None:
    assert words('SELECT `A`, "b" FROM lake.bronze.größe -- of x_1') >= {"a", "b", "lake", "bronze", "größe", "x_1"}


_EXPRESSION: TypeAdapter[str] = TypeAdapter(SqlExpression)


@pytest.mark.parametrize(
    "text",
    [
        "region = 'EU'",
        "it = 'it''s; -- /* (' and \"odd;\"\"name\" = 1",
        "id in (select id from lake.a.b where c = array[1, 2][1])",
        "  mask\n",
    ],
)
def test_one_expression_is_kept_as_it_is(text: str) -> None:
    assert _EXPRESSION.validate_python(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a = 'b",
        'a = "b',
        "(a",
        "a)",
        "(a]",
        "a, b",
        "a; b",
        "a -- b",
        "a /* b */",
        "a) or (b",
        "'a' 'b",
    ],
)
def test_what_could_be_more_than_one_expression_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        _EXPRESSION.validate_python(text)


@given(st.text("ab'\"()[],;-/* \n", max_size=12))
def test_whatever_is_accepted_stays_one_operand_inside_brackets(text: str) -> None:
    """Read again, character by character, it never leaves the brackets around it."""
    try:
        accepted = _EXPRESSION.validate_python(text)
    except ValidationError:
        return
    depth, quote = 1, ""
    for each in accepted:
        if quote:
            quote = "" if each == quote else quote
        elif each in "'\"":
            quote = each
        else:
            depth += (each in "([") - (each in ")]")
            assert depth >= 1
            assert each != ";"
    assert (depth, quote) == (1, "")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Mask", ["Mask"]),
        ("größe", ["größe"]),
        ("regoin = 'EU'", ["regoin"]),
        ("(a<1 OR B is null) and not c NOT IN (1, 2) and d like 'x'", ["a", "B", "c", "d"]),
        ("case when a >= 1 then b end", ["a"]),
        ("a between 1 and b = c", ["a", "b"]),
        ("a <> 'b = c' and a != 2", ["a"]),
    ],
)
def test_what_an_expression_compares_is_a_column(text: str, columns: list[str]) -> None:
    assert columns_in(text) == columns


@pytest.mark.parametrize(
    "text",
    [
        *("NULL", "true", "current_user", "0", "'EU'", '"odd name"', "substr(a, 1)", "1 = 0", "current_user = 'x'"),
        '"odd" = 1 and t.a = 2 and a.b.c = 3 and x[1] = 4 and f(a) = 5',
        "date '2020-01-01' < d and ts - interval '1' day < now()",
        "any_match(tags, x -> (x = 1))",
        "f(x => 1)",
        "id in (select id from lake.a.b where c = 1) and d = 2",
        "exists (select 1) or case a when 1 then 2 end = 3",
    ],
)
def test_what_may_be_something_else_is_not_taken_for_a_column(text: str) -> None:
    assert columns_in(text) == []
