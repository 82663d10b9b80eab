from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.session.statements import Position, command, is_complete, outline, split
from lakehouse.errors import UsageError


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
        ("trino", "/* a /* b */ SELECT 1", ["SELECT 1"]),
        ("trino", "SELECT 1; -- the end", ["SELECT 1"]),
        (
            "trino",
            "WITH FUNCTION f() RETURNS int BEGIN IF true THEN RETURN CASE WHEN true THEN 1 END; END IF; END SELECT f(); x",  # noqa: E501
            ["WITH FUNCTION f() RETURNS int BEGIN IF true THEN RETURN CASE WHEN true THEN 1 END; END IF; END SELECT f()", "x"],  # noqa: E501
        ),
        (
            "trino",
            "WITH FUNCTION f() RETURNS int LANGUAGE PYTHON AS $$\n# don't; (\n$$ SELECT f(); SELECT 2",
            ["WITH FUNCTION f() RETURNS int LANGUAGE PYTHON AS $$\n# don't; (\n$$ SELECT f()", "SELECT 2"],
        ),
        ("trino", "SELECT CASE WHEN a THEN b END; SELECT 2", ["SELECT CASE WHEN a THEN b END", "SELECT 2"]),
        ("spark", r"SELECT 'it\'s;'; SELECT 2", [r"SELECT 'it\'s;'", "SELECT 2"]),
        ("spark", r"SELECT r'\'; SELECT 2", [r"SELECT r'\'", "SELECT 2"]),
        ("spark", r"SELECT '\\'; SELECT 2", [r"SELECT '\\'", "SELECT 2"]),
        ("spark", "SELECT * FROM `a;b`; SELECT 2", ["SELECT * FROM `a;b`", "SELECT 2"]),
        ("spark", 'SELECT "a\\";"; SELECT 2', ['SELECT "a\\";"', "SELECT 2"]),
        ("spark", "/* a /* b; */ c; */ SELECT 1", ["SELECT 1"]),
        ("spark", "SELECT /*+ BROADCAST(a) */ 1; SELECT 2", ["SELECT /*+ BROADCAST(a) */ 1", "SELECT 2"]),
        ("spark", "-- goes on \\\n; here\nSELECT 1", ["SELECT 1"]),
        ("spark", "BEGIN SELECT 1; SELECT 2; END; SELECT 3", ["BEGIN SELECT 1; SELECT 2; END", "SELECT 3"]),
    ],
)  # fmt: skip
def test_statements_end_at_semicolons_outside_of_quotes_comments_and_bodies(
    dialect: str, sql: str, expected: list[str]
) -> None:
    assert [statement.text for statement in split(sql, dialect)] == expected


def test_a_statement_knows_the_place_of_its_first_word() -> None:
    statements = split("-- first\n\nSELECT 1;\nSELECT\n2;\n\n\n SELECT 3", "trino")
    assert [str(statement.start) for statement in statements] == ["3:1", "4:1", "8:2"]
    assert statements[2].at(1, 8) == Position(8, 9)
    assert statements[1].at(2, 1) == Position(5, 1)


@pytest.mark.parametrize(
    ("dialect", "sql", "place", "what"),
    [
        ("trino", "SELECT 1;\n\n\nSELECT 'open;\nSELECT 2", "4:8", "the quote ' that begins here is not closed"),
        # The next quote, which should begin a text, ends the one that was forgotten: the place is where that began.
        ("trino", "SELECT 1;\nSELECT 'open;\n\nSELECT 'a' || 'b'", "2:8", "begins here, or the one at 4:17"),
        ("trino", 'SELECT "open', "1:8", 'the quote " that'),
        ("spark", "SELECT 1,\n`open", "2:1", "the quote ` that"),
        ("spark", r"SELECT 'open\'", "1:8", "the quote ' that"),
        ("spark", r"SELECT 'open" + "\\", "1:8", "the quote ' that"),
        ("spark", "SELECT r'open", "1:8", "the quote ' that"),
        ("trino", "SELECT 1;\n  /* open\nSELECT 2;", "2:3", "the comment that begins here"),
        ("spark", "/* a /* b */ SELECT 1", "1:1", "the comment that begins here"),
        ("trino", "SELECT 1;\nSELECT (1 + (2);\nSELECT 3", "2:8", 'the "(" here is not closed in its statement'),
        ("trino", "SELECT ARRAY[1; SELECT 2", "1:13", 'the "[" here'),
        ("trino", "SELECT 1);", "1:9", 'nothing is open that this ")" closes'),
        ("trino", "SELECT (1];", "1:10", 'nothing is open that this "]" closes'),
        ("spark", "SELECT 1;\nBEGIN SELECT 1;", "2:1", "what begins here has no END"),
    ],
)  # fmt: skip
def test_what_is_not_closed_is_reported_where_it_begins(dialect: str, sql: str, place: str, what: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^report.sql:{place}: {re.escape(what)}|^report.sql:{place}: .*{re.escape(what)}"
    ):
        split(sql, dialect, "report.sql")


_PIECES = st.sampled_from(["SELECT 1", "SELECT ';'", "CALL x(1, 'b')", "SELECT /* ; */ 2", "SELECT (a[1]) -- ;\n"])


@given(st.lists(_PIECES), st.sampled_from(["trino", "spark"]))
def test_what_was_joined_is_split_again(statements: list[str], dialect: str) -> None:
    assert [each.text for each in split(";\n".join(statements), dialect)] == [each.rstrip() for each in statements]


@given(st.text(alphabet="a'\"`\\;-/*+()[]\n rR", max_size=40), st.sampled_from(["trino", "spark"]))
def test_any_text_is_split_or_refused_and_no_word_is_lost(sql: str, dialect: str) -> None:
    try:
        statements = split(sql, dialect)
    except UsageError:
        return
    at = 0
    for each in statements:
        lines = sql.split("\n")
        start = sum(len(line) + 1 for line in lines[: each.start.line - 1]) + each.start.column - 1
        assert at <= start
        assert sql[start:].startswith(each.text)
        at = start + len(each.text)


@given(st.lists(_PIECES, min_size=1), st.sampled_from(["'", '"', "/*", "("]), st.sampled_from(["trino", "spark"]))
def test_an_opening_sign_at_the_end_is_found_there(statements: list[str], sign: str, dialect: str) -> None:
    before = ";\n".join(statements) + ";\nSELECT "
    place = f"{before.count(chr(10)) + 1}:8"
    with pytest.raises(UsageError, match=f"^SQL:{place}: "):
        split(before + sign, dialect)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT ';", False),
        ("SELECT 1; -- done", True),
        ("/* open", False),
        ("BEGIN SELECT 1;", False),
        ("BEGIN SELECT 1; END;", True),
        ("SELECT (1;", True),
        ("", True),
    ],
)
def test_a_prompt_asks_on_until_nothing_is_open(sql: str, expected: bool) -> None:
    assert is_complete(sql, "spark") is expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("insert into a values (1)", "INSERT"),
        ("CREATE OR REPLACE TEMPORARY VIEW a AS SELECT 1", "CREATE VIEW"),
        ("-- a\nDROP TABLE a", "DROP TABLE"),
        ("ALTER TABLE a ADD COLUMN b int", "ALTER TABLE"),
        ("", ""),
    ],
)
def test_the_command_of_a_statement(sql: str, expected: str) -> None:
    assert command(sql, "spark") == expected


@pytest.mark.parametrize(
    ("sql", "dialect", "expected"),
    [
        ("SELECT 'it''s', \"a b\" -- why\nFROM t", "trino", "SELECT '…', \"a b\"  \nFROM t"),
        ("/* a */ SELECT $$ b $$", "trino", "SELECT '…'"),
        ("SELECT 'open", "trino", "SELECT '…'"),
        ('SELECT "open', "trino", "SELECT '…'"),
        ("SELECT \"text\", r'raw', `a b`", "spark", "SELECT '…', '…', `a b`"),
        ("", "trino", ""),
    ],
)
def test_the_outline_of_a_statement(sql: str, dialect: str, expected: str) -> None:
    assert outline(sql, dialect) == expected


_INSIDE = st.text(alphabet="§;-()[]r", max_size=10)
_HIDING = st.sampled_from(["'{}'", "--{}\n", "/* {} */", "'{} /* {} -- '"])


@given(st.lists(st.tuples(st.sampled_from(["a", "b.c", "="]), _HIDING, _INSIDE)), st.sampled_from(["trino", "spark"]))
def test_an_outline_shows_everything_but_text_and_comments(pieces: list[tuple[str, str, str]], dialect: str) -> None:
    found = outline(" ".join(f"{word} {hiding.replace('{}', inside)}" for word, hiding, inside in pieces), dialect)
    assert "§" not in found
    assert found.replace("'…'", " ").split() == [word for word, _, _ in pieces]
