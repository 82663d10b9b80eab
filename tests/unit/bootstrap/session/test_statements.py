from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.session.statements import is_complete, split


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("trino", "", []),
        ("trino", " ;; ;", []),
        ("trino", "SELECT 1", ["SELECT 1"]),
        ("trino", "SELECT 1;", ["SELECT 1"]),
        ("trino", "SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("trino", "SELECT ';'; SELECT 2", ["SELECT ';'", "SELECT 2"]),
        ("trino", "SELECT 'it''s;'; SELECT 2", ["SELECT 'it''s;'", "SELECT 2"]),
        ("trino", r"SELECT '\'; SELECT 2", [r"SELECT '\'", "SELECT 2"]),
        ("trino", 'SELECT * FROM "a;b"; SELECT 2', ['SELECT * FROM "a;b"', "SELECT 2"]),
        ("trino", "-- one; two\nSELECT 1", ["SELECT 1"]),
        ("trino", "SELECT 1 -- one; two\n; SELECT 2", ["SELECT 1 -- one; two", "SELECT 2"]),
        ("trino", "SELECT /* a; b */ 1; SELECT 2", ["SELECT /* a; b */ 1", "SELECT 2"]),
        ("trino", "SELECT 1; -- the end", ["SELECT 1"]),
        ("trino", "SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]),
        ("spark", r"SELECT 'it\'s;'; SELECT 2", [r"SELECT 'it\'s;'", "SELECT 2"]),
        ("spark", "SELECT * FROM `a;b`; SELECT 2", ["SELECT * FROM `a;b`", "SELECT 2"]),
        ("spark", 'SELECT "a\\";"; SELECT 2', ['SELECT "a\\";"', "SELECT 2"]),
    ],
)
def test_statements_end_at_semicolons_outside_of_quotes_and_comments(
    dialect: str, sql: str, expected: list[str]
) -> None:
    assert [statement.text for statement in split(sql, dialect)] == expected


def test_a_statement_knows_the_line_of_its_first_word() -> None:
    lines = [statement.line for statement in split("-- first\n\nSELECT 1;\nSELECT\n2;\n\n\n SELECT 3", "trino")]
    assert lines == [3, 4, 8]


@given(st.lists(st.sampled_from(["SELECT 1", "SELECT ';'", 'USE "a;b"', "CALL x(1, 'b')"])))
def test_what_was_joined_is_split_again(statements: list[str]) -> None:
    assert [statement.text for statement in split(";\n".join(statements), "trino")] == statements


@pytest.mark.parametrize(
    ("sql", "expected"),
    [("SELECT 1", False), ("SELECT 1;", True), ("SELECT ';", False), ("SELECT 1; -- done", True), ("/* open", False)],
)
def test_a_prompt_asks_on_until_nothing_is_open(sql: str, expected: bool) -> None:
    assert is_complete(sql, "spark") is expected
