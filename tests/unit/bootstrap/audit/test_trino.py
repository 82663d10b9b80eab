"""Rows of Trino's list of queries. Their forms are those of a real Trino 476."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.audit.event import AccessEvent
from bootstrap.audit.trino import QUESTION, TrinoQueries, event
from bootstrap.session.results import EngineName, SqlResult

AT = "2026-11-26T17:45:38.619Z"


def seen(text: str, state: str = "FINISHED", error: str | None = None, who: str = "bi") -> AccessEvent:
    found = event((AT, who, text, state, error), lambda each: each.replace("hunter2", "********"))
    assert found is not None
    return found


def test_a_query_has_its_user_its_tables_and_its_end() -> None:
    time = datetime(2026, 11, 26, 17, 45, 38, 619_000, UTC)
    text = "SELECT count(*)\n  FROM lake.silver.orders"
    expected = AccessEvent(time, "trino", "bi", "SELECT count(*) FROM lake.silver.orders", "lake.silver.orders", "ok")
    assert seen(text) == expected


@pytest.mark.parametrize(
    ("state", "error", "result"),
    [
        ("FINISHED", None, "ok"),
        ("RUNNING", None, "running"),
        ("FAILED", "PERMISSION_DENIED", "denied"),
        ("FAILED", "TABLE_NOT_FOUND", "failed: TABLE_NOT_FOUND"),
        ("FAILED", "USER_CANCELED", "failed: USER_CANCELED"),
    ],
)
def test_how_it_ended(state: str, error: str | None, result: str) -> None:
    assert seen("SELECT 1", state, error).result == result


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("INSERT INTO lake.a.t SELECT * FROM lake.b.u JOIN lake.b.u x ON true", "lake.a.t, lake.b.u"),
        ('DELETE FROM lake."a b"."T"', "lake.a b.T"),
        ("DROP TABLE IF EXISTS lake.a.t", "lake.a.t"),
        ("CREATE TABLE IF NOT EXISTS lake.a.t (id bigint)", "lake.a.t"),
        ("SELECT extract(year FROM day) FROM orders", ""),
        ("SELECT 'FROM lake.a.t'", ""),
    ],
)
def test_on_is_the_full_names(text: str, on: str) -> None:
    assert seen(text).on == on


@pytest.mark.parametrize(
    "text",
    [
        "CREATE CATALOG c USING postgresql WITH (\"connection-password\" = 'hidden it''s')",
        "CREATE TABLE lake.a.t WITH (password = U&'hidden') AS SELECT 1",
        'CREATE CATALOG c USING postgresql WITH (password = hidden, "a" = "hidden")',
        "SELECT 1 -- hidden",
        "SELECT /* hidden */ 1",
        "SELECT 'hidden",
        "WITH FUNCTION f() RETURNS bigint LANGUAGE PYTHON AS $$ hidden $$ SELECT f()",
    ],
)
def test_text_in_quotes_and_comments_is_not_shown(text: str) -> None:
    assert "hidden" not in seen(text).what
    assert seen(text).what


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('CREATE USER bi IDENTIFIED BY "hidden"', "CREATE"),
        ("create hidden", "CREATE"),
        ("-- hidden\nselect hidden hidden hidden", "SELECT"),
        ("hidden", "a statement"),
        ("'hidden'", "a statement"),
        ("", "a statement"),
    ],
)
def test_a_statement_that_trino_cannot_read_is_shown_by_its_kind(text: str, kind: str) -> None:
    found = seen(text, "FAILED", "SYNTAX_ERROR")
    assert (found.what, found.on, found.result) == (kind, "", "failed: SYNTAX_ERROR")


def test_the_tables_after_the_settings_of_another_are_found() -> None:
    found = seen("CREATE TABLE lake.a.t WITH (format = 'ORC') AS SELECT * FROM lake.b.u")
    assert (found.what, found.on) == ("CREATE TABLE lake.a.t WITH (…)", "lake.a.t, lake.b.u")


def test_a_known_secret_is_not_shown_even_if_it_is_cut() -> None:
    assert "hunter" not in seen(f"SELECT {'x' * 107}, hunter2 FROM t").what


def test_only_the_beginning_is_shown() -> None:
    assert seen(f"SELECT {'x' * 500}").what == f"SELECT {'x' * 112}…"
    assert len(seen(f"SELECT {'x' * 500}").what) == 120


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="'"), min_size=1),
    st.sampled_from(["'{}'", "X'{}'", "U&'{}'"]),
)
def test_whatever_is_in_quotes_is_not_shown(inside: str, quoted: str) -> None:
    secret = f"§{inside}§"
    assert "§" not in seen(f"SELECT * FROM lake.a.t WHERE a = {quoted.format(secret)} AND b = 1").what


class Engine:
    dialect: EngineName = "trino"
    closed = False

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self.rows = rows

    def run(self, statement: str) -> SqlResult:
        assert statement == QUESTION
        return SqlResult(("c",), iter([self.rows[:1], [], self.rows[1:]]))

    def cancel(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_the_question_itself_is_left_out_but_only_the_owners() -> None:
    engine = Engine(
        [
            (AT, "lakehouse", QUESTION, "RUNNING", None),
            (AT, "bi", QUESTION, "FAILED", "PERMISSION_DENIED"),
            (AT, "bi", "SELECT 1", "FINISHED", None),
        ]
    )
    found: Iterator[AccessEvent] = TrinoQueries(lambda: engine, str, named=True).read(None)
    assert [(each.who, each.result) for each in found] == [("bi", "denied"), ("bi", "ok")]
    assert engine.closed


def test_it_says_what_trino_keeps_and_what_its_names_are_worth() -> None:
    note = TrinoQueries(lambda: Engine([]), str, True, {"query.max-history": "7"}).note
    assert note == "queries since its start: the last 7, and all of the last 15m"
    assert "no password" in TrinoQueries(lambda: Engine([]), str, named=False).note
