from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bootstrap.session.sql import EngineName, RowFormat, SqlResult, distinct, run, show, source_of, text
from bootstrap.session.statements import split
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError

COLUMNS = ("ticker", "close")
ROWS: list[tuple[Any, ...]] = [("AAPL", 1.5), ("Ünï", None)]


def printed(form: RowFormat, columns: Sequence[str] = COLUMNS, rows: Sequence[Sequence[Any]] = ROWS) -> str:
    out = io.StringIO()
    show(SqlResult(tuple(columns), iter(rows)), form, out)
    return out.getvalue()


class FakeEngine:
    """Answers each statement with itself, and fails on the word ``bad``."""

    dialect: EngineName = "trino"

    def __init__(self) -> None:
        self.ran: list[str] = []

    def run(self, statement: str) -> SqlResult:
        self.ran.append(statement)
        if "bad" in statement:
            raise LakehouseError("line 1:8: Column 'bad' cannot be resolved")
        return SqlResult(("statement",), iter([(statement,)]))


def test_a_table_has_numbers_to_the_right_and_ends_with_the_count() -> None:
    assert printed("table") == (
        " ticker | close\n"
        "--------+-------\n"
        " AAPL   |   1.5\n"
        " Ünï    |  NULL\n"
        "(2 rows)\n"
    )  # fmt: skip


def test_a_table_without_rows_and_one_with_one() -> None:
    assert printed("table", rows=[]).splitlines()[-1] == "(0 rows)"
    assert printed("table", rows=[("A", 1)]).splitlines()[-1] == "(1 row)"


def test_a_line_break_in_a_value_does_not_break_the_table() -> None:
    assert len(printed("table", ["a"], [["x\ny"]]).splitlines()) == 4


def test_csv_has_a_header_and_quotes_where_needed() -> None:
    assert printed("csv", ["a", "b"], [['x"y', None], ["p,q", 1]]) == 'a,b\n"x""y",\n"p,q",1\n'


def test_json_has_an_object_a_line() -> None:
    assert printed("json") == '{"ticker": "AAPL", "close": 1.5}\n{"ticker": "Ünï", "close": null}\n'


def test_json_loses_no_column_that_has_the_name_of_another() -> None:
    assert printed("json", ["a", "a"], [[1, 2]]) == '{"a": 1, "a_2": 2}\n'
    assert distinct(["a", "a_2", "a"]) == ["a", "a_2", "a_3"]


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_statement_without_a_result_runs_to_its_end_and_prints_nothing(form: RowFormat) -> None:
    pages = iter([(1,), (2,)])
    out = io.StringIO()
    show(SqlResult((), pages), form, out)
    assert out.getvalue() == ""
    assert next(pages, None) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (Decimal("1.50"), "1.50"),
        (date(2026, 1, 14), "2026-01-14"),
        (datetime(2026, 1, 14, 14, 30, tzinfo=UTC), "2026-01-14 14:30:00+00:00"),
        (b"\x01\xff", "0x01ff"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ([datetime(2026, 1, 1, tzinfo=UTC)], '["2026-01-01 00:00:00+00:00"]'),
    ],
)
def test_values_as_text(value: object, expected: str) -> None:
    assert text(value) == expected


def test_the_first_statement_that_fails_ends_the_run_and_is_named() -> None:
    engine, out = FakeEngine(), io.StringIO()
    with pytest.raises(LakehouseError) as caught:
        run(engine, split("SELECT 1;\n\nSELECT bad;\nSELECT 3", "trino"), "csv", out, "report.sql")
    assert str(caught.value) == "report.sql:3 (statement 2 of 3): line 1:8: Column 'bad' cannot be resolved"
    assert engine.ran == ["SELECT 1", "SELECT bad"]
    assert out.getvalue() == "statement\nSELECT 1\n"


def test_the_seconds_of_each_statement_are_reported_apart_from_its_rows() -> None:
    out, times = io.StringIO(), io.StringIO()
    run(FakeEngine(), split("SELECT 1; SELECT 2", "trino"), "csv", out, "-e", times)
    assert [float(line.removesuffix(" s")) >= 0 for line in times.getvalue().splitlines()] == [True, True]
    assert " s\n" not in out.getvalue()


def test_nothing_to_run_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="report.sql contains no statement"):
        run(FakeEngine(), split("-- nothing", "trino"), "csv", io.StringIO(), "report.sql")


def test_sql_comes_from_the_option_the_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "q.sql"
    file.write_text("SELECT 2")
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 3"))
    assert source_of(None, "SELECT 1") == ("SELECT 1", "-e")
    assert source_of(str(file), None) == ("SELECT 2", str(file))
    assert source_of("-", None) == ("SELECT 3", "standard input")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "expression", "message"),
    [
        (None, None, "give a FILE, -e SQL, or a pipe"),
        ("q.sql", "SELECT 1", "choose one"),
        ("/no/such.sql", None, "/no/such.sql cannot be read: No such file"),
    ],
)
def test_no_sql_is_a_usage_error(
    file: str | None, expression: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(UsageError, match=message):
        source_of(file, expression)


def test_an_engine_that_does_not_listen_is_reported_at_once(target: Target) -> None:
    from bootstrap.session.sql import open_engine

    for name, service in (("trino", "trino"), ("spark", "spark-connect")):
        with pytest.raises(LakehouseError, match=f"{service} does not answer on 127.0.0.1:.*cdktf deploy local"):
            open_engine(target, name)  # type: ignore[arg-type]
