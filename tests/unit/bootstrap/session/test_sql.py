from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bootstrap.session.printing import RowFormat
from bootstrap.session.results import EngineName, SqlFailure, SqlResult
from bootstrap.session.sql import Printing, one_of, run, source_of
from bootstrap.session.statements import split, split_all
from bootstrap.session.target import Target
from lakehouse.errors import LakehouseError, UsageError


class FakeEngine:
    """Answers each statement with itself, and fails on the word ``bad``."""

    dialect: EngineName = "trino"

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.cancelled: list[str] = []
        self.closed = False

    def run(self, statement: str) -> SqlResult:
        self.ran.append(statement)
        if "bad" in statement:
            before = statement.partition("bad")[0]
            raise SqlFailure("Column 'bad'", (before.count("\n") + 1, len(before) - before.rfind("\n")))
        if statement.startswith("INSERT"):
            return SqlResult((), iter([(), ()]), "INSERT: 2 rows")
        return SqlResult(("statement",), self._rows(statement))

    def _rows(self, statement: str) -> Iterator[Sequence[Sequence[Any]]]:
        yield [(statement,)]
        if "broken" in statement:
            raise BrokenPipeError

    def cancel(self) -> None:
        self.cancelled.append(self.ran[-1])

    def close(self) -> None:
        self.closed = True


def ran(sql: str, form: RowFormat = "csv", **further: Any) -> tuple[FakeEngine, str, str]:
    engine, printing = FakeEngine(), Printing(io.StringIO(), io.StringIO(), form)
    run(engine, split(sql, "trino"), printing, "report.sql", **further)
    return engine, printing.out.getvalue(), printing.notes.getvalue()  # type: ignore[attr-defined]


def test_the_first_statement_that_fails_ends_the_run_and_is_named_with_its_place() -> None:
    engine, out = FakeEngine(), io.StringIO()
    statements = split("SELECT 1;\n\nSELECT\n\tbad;\nSELECT 3", "trino")
    with pytest.raises(LakehouseError) as caught:
        run(engine, statements, Printing(out, io.StringIO(), "csv"), "report.sql")
    assert str(caught.value) == "report.sql:4:2 (statement 2 of 3): Column 'bad'\n     bad\n     ^"
    assert engine.ran == ["SELECT 1", "SELECT\n\tbad"]
    assert out.getvalue() == "statement\nSELECT 1\n"
    assert engine.closed


def test_the_line_of_a_fault_is_shortened_around_it() -> None:
    with pytest.raises(LakehouseError) as caught:
        ran(f"SELECT {'x, ' * 100}bad{', x' * 100}")
    message, line, mark = str(caught.value).splitlines()
    assert message == "report.sql:1:308: Column 'bad'"
    assert line[mark.index("^") :].startswith("bad")
    assert len(line) < 110


def test_a_statement_without_a_result_says_what_it_did_where_no_program_takes_it_for_data() -> None:
    assert ran("INSERT INTO a", "table")[1:] == ("INSERT: 2 rows\n", "")
    forms: tuple[RowFormat, ...] = ("csv", "json")
    for form in forms:
        assert ran("INSERT INTO a", form)[1:] == ("", "")
        printing = Printing(io.StringIO(), Terminal(), form)
        run(FakeEngine(), split("INSERT INTO a", "trino"), printing, "-e")
        assert printing.notes.getvalue() == "INSERT: 2 rows\n"  # type: ignore[attr-defined]


def test_the_seconds_of_each_statement_are_reported_apart_from_its_rows() -> None:
    _, out, notes = ran("SELECT 1; SELECT 2", timing=True)
    assert [float(line.removesuffix(" s")) >= 0 for line in notes.splitlines()] == [True, True]
    assert " s\n" not in out


def test_whatever_ends_a_statement_early_cancels_it() -> None:
    engine = FakeEngine()
    with pytest.raises(BrokenPipeError):
        run(engine, split("SELECT 1; SELECT broken", "trino"), Printing(io.StringIO(), io.StringIO()), "-e")
    assert engine.cancelled == ["SELECT broken"]
    assert engine.closed


def test_the_end_of_the_time_between_two_statements_is_an_error_with_its_place() -> None:
    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            time.sleep(0.1)
            return super().write(text)

    printing = Printing(io.StringIO(), Slow())
    with pytest.raises(LakehouseError, match="-e:1:1 .statement 1 of 2.: no end within 0.05 s"):
        run(FakeEngine(), split("INSERT 1; INSERT 2", "trino"), printing, "-e", timing=True, seconds=0.05)


def test_nothing_to_run_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="report.sql contains no statement"):
        ran("-- nothing")


def test_sql_comes_from_the_option_the_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "q.sql"
    file.write_text("\ufeffSELECT 2")
    monkeypatch.setattr("sys.stdin", piped(b"\xef\xbb\xbfSELECT\r\n3"))
    assert source_of(None, ["SELECT 1", "SELECT 4"]) == (["SELECT 1", "SELECT 4"], "-e")
    assert source_of(str(file), []) == (["SELECT 2"], str(file))
    assert source_of("-", []) == (["SELECT\n3"], "standard input")
    assert one_of("a", None) == one_of(None, "a") == "a"
    with pytest.raises(UsageError, match="choose one"):
        one_of("a", "b")


def piped(content: bytes) -> io.TextIOWrapper:
    """A standard input whose shell has another encoding."""
    return io.TextIOWrapper(io.BytesIO(content), encoding="latin-1")


def test_sql_in_another_encoding_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "SELECT 1;\nSELECT 'ü'".encode("latin-1")
    file = tmp_path / "q.sql"
    file.write_bytes(content)
    monkeypatch.setattr("sys.stdin", piped(content))
    for given, source in ((str(file), str(file)), ("-", "standard input")):
        with pytest.raises(UsageError) as refused:
            source_of(given, [])
        assert str(refused.value) == f"{source}:2: this is not UTF-8 text. Save it as UTF-8."


def test_all_expressions_run_each_with_its_place() -> None:
    found = split_all(["SELECT 1 -- a", "SELECT 2;\n SELECT 3", "SELECT 4"], "trino", "-e")
    assert [(each.text, str(each.start)) for each in found] == [
        ("SELECT 1 -- a", "1:1"),
        ("SELECT 2", "2:1"),
        ("SELECT 3", "3:2"),
        ("SELECT 4", "4:1"),
    ]
    with pytest.raises(UsageError, match=r"-e \(number 2\):1:8: the quote"):
        split_all(["SELECT 1", "SELECT 'x"], "trino", "-e")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "expressions", "message"),
    [
        (None, [], "give a FILE, -e SQL, or a pipe"),
        ("q.sql", ["SELECT 1"], "choose one"),
        ("/no/such.sql", [], "/no/such.sql cannot be read: No such file"),
        ("SELECT 1", [], "To run a statement, write -e before it"),
    ],
)
def test_no_sql_is_a_usage_error(
    file: str | None, expressions: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(UsageError, match=message):
        source_of(file, expressions)


def test_an_engine_that_does_not_listen_is_reported_at_once(target: Target) -> None:
    from bootstrap.session.sql import open_engine

    for name, service in (("trino", "trino"), ("spark", "spark-connect")):
        with pytest.raises(LakehouseError, match=f"{service} does not answer on 127.0.0.1:.*lakehouse deploy"):
            open_engine(target, name)  # type: ignore[arg-type]
